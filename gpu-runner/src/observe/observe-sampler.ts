import type { Sampler } from '../sampler/sampler.ts'
import type { Observer } from './observer.ts'

/** The part of the sampler that makes batches. */
export type BatchSampler = Pick<Sampler, 'sample'>

/** A sampler whose batches the observer hears of; failed ones have no times. */
export const observeSampler = (sampler: BatchSampler, observer: Observer): BatchSampler => ({
  sample: (batch) => {
    let begun = performance.now()
    const onStart = () => {
      // What loading the model took is no batch's speed.
      begun = performance.now()
      batch.onStart?.()
    }
    const running = sampler.sample({ ...batch, onStart })
    const result = running.result.then((made) => {
      const { model, images } = batch
      observer.batch({ model: model.id, images: images.length, elapsedMs: performance.now() - begun, scaleMs: made.scaleMs })
      return made
    })
    return { ...running, result }
  }
})
