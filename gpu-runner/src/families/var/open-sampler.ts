import type { SamplerForm } from '../../sampler/sampler-form.ts'
import type { OpenSampler, SampleOptions } from '../open-sampler.ts'
import { fromOpening, type VarOpening } from './opening.ts'
import { createEngine } from './sampler/engine.ts'
import { createFusedEngine, sampleFused } from './sampler/fused-engine.ts'
import type { ImageRequest } from './sampler/image-request.ts'
import { sampleBatch } from './sampler/sample-batch.ts'

/**
 * Loads a model in the sampler process.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const openSampler = async (opening: VarOpening, sampler: SamplerForm): Promise<OpenSampler> => {
  const model = fromOpening(opening)
  if (sampler.form === 'fused') {
    const engine = await createFusedEngine(model, sampler)
    return { sample: (requests: readonly ImageRequest[]) => sampleFused(engine, requests), release: () => engine.release() }
  }
  const engine = await createEngine(model, sampler)
  return {
    sample: (requests: readonly ImageRequest[], options: SampleOptions) => sampleBatch(engine, requests, options),
    release: () => engine.release()
  }
}
