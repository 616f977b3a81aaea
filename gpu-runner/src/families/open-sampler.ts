import type { Picture } from '../image/picture.ts'

/** The state of one image after a scale, decoded. */
export interface SampledPreview extends Picture {
  /** Index in the batch as asked for. */
  index: number
  scale: number
  decodeMs: number
}

export interface SampledImage extends Picture {
  /** Index in the batch as asked for. */
  index: number
  /** What was drawn at all its scales, one after another. */
  tokens: Int32Array
}

export interface SampleResult {
  /** Those not dropped, by index. */
  images: SampledImage[]
  /** Of the batch: one entry per scale that was run, or one for all where all are one run. */
  scaleMs: number[]
  decodeMs: number
}

export interface SampleOptions {
  /**
   * Called after each scale; the images it names, by index, are dropped from the batch. Not called where all scales are one run.
   */
  afterScale?: (report: { scale: number; elapsedMs: number }) => Promise<ReadonlySet<number>>
  /** Called with each preview an image asks for, once `afterScale` is through. */
  onPreview?: (preview: SampledPreview) => void
}

/** A model that is loaded in the sampler process. */
export interface OpenSampler {
  /**
   * Samples a batch. An image depends on its own request alone.
   * @throws whatever the runtime throws; the batch is then lost as a whole.
   */
  sample(requests: readonly object[], options: SampleOptions): Promise<SampleResult>
  /** Gives back the memory of the weights and all that was opened for them. No batch may be under way. */
  release(): Promise<void>
}
