import type { OpenModel } from '../families/var/model/open-model.ts'
import { createEngine, type Engine } from '../families/var/sampler/engine.ts'
import type { Precision } from '../sampler/sampler-form.ts'

interface BenchedEngine {
  threads: number
  precision: Precision
  /** Folder of optimised graphs and packed weights, or none. */
  cache: string | null
}

/** The one place where benchmarks meet the engine. */
export const openEngine = (model: OpenModel, options: BenchedEngine): Promise<Engine> => createEngine(model, options)
