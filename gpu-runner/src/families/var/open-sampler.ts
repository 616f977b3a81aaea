import type { OpenModel } from './model/open-model.ts'
import { createEngine, type EngineOptions } from './sampler/engine.ts'
import { createFusedEngine, type FusedOptions, sampleFused } from './sampler/fused-engine.ts'
import type { ImageRequest } from './sampler/image-request.ts'
import { sampleBatch, type SampleOptions, type SampleResult } from './sampler/sample-batch.ts'

/** How models are computed: scale by scale on a CPU, or all scales at once where crossings are dear. */
export type SamplerForm = ({ form: 'step' } & EngineOptions) | ({ form: 'fused' } & FusedOptions)

export interface OpenSampler {
  /** `afterScale` is not called where all scales are one run. */
  sample(requests: readonly ImageRequest[], options: SampleOptions): Promise<SampleResult>
}

/**
 * Loads a model.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const openSampler = async (model: OpenModel, form: SamplerForm): Promise<OpenSampler> => {
  if (form.form === 'fused') {
    const engine = await createFusedEngine(model, form)
    return { sample: (requests) => sampleFused(engine, requests) }
  }
  const engine = await createEngine(model, form)
  return { sample: (requests, options) => sampleBatch(engine, requests, options) }
}
