import type { OpenModel } from '../model/open-model.ts'
import { createEngine, type Engine } from '../sampler/engine.ts'
import type { Precision } from '../../../sampler/sampler-form.ts'

interface BenchedEngine {
  threads: number
  precision: Precision
  /** Folder of optimised graphs and packed weights, or none. */
  cache: string | null
}

/** The one place where benchmarks meet the engine. */
export const openEngine = (model: OpenModel, options: BenchedEngine): Promise<Engine> => createEngine(model, options)
