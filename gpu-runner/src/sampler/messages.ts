import type { ImageRequest, SampledImage } from './sample-batch.ts'

/** What the runner tells the sampler process. */
export type SamplerCommand =
  | { type: 'load'; folders: string[]; threads: number }
  | { type: 'sample'; batch: number; model: string; images: ImageRequest[] }
  /** Images nobody waits for any more, by index in the batch. They leave it after the running scale. */
  | { type: 'drop'; batch: number; images: number[] }

/** What the sampler process tells the runner. */
export type SamplerEvent =
  | { type: 'loaded' }
  /** A model cannot be served; the message is for the operator. */
  | { type: 'refused'; message: string }
  | { type: 'scale'; batch: number; scale: number; elapsedMs: number }
  | { type: 'sampled'; batch: number; images: SampledImage[]; scaleMs: number[]; decodeMs: number }
  | { type: 'failed'; batch: number; message: string }
