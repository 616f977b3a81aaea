import type { Sampler } from '../sampler/sampler.ts'
import type { Observer } from './observer.ts'

/** The part of the sampler that makes batches. */
export type BatchSampler = Pick<Sampler, 'sample'>

/** A sampler whose batches the observer hears of; failed ones have no times. */
export const observeSampler = (sampler: BatchSampler, observer: Observer): BatchSampler => ({
  sample: (batch) => {
    const begun = performance.now()
    const running = sampler.sample(batch)
    const result = running.result.then((made) => {
      const { model, images } = batch
      observer.batch({ model: model.id, images: images.length, elapsedMs: performance.now() - begun, scaleMs: made.scaleMs })
      return made
    })
    return { ...running, result }
  }
})
