import type { Manifest } from '../families/var/model/manifest.ts'
import type { ModelShape } from '../families/var/model/shape.ts'
import type { TensorMap } from '../checkpoint/tensor-info.ts'
import type { ImageRequest } from '../families/var/sampler/image-request.ts'
import type { SamplerForm } from '../families/var/open-sampler.ts'
import type { SampledImage, SampledPreview } from '../families/var/sampler/sample-batch.ts'

/** A checked model as it crosses to the sampler process, which need not read manifest and headers again. */
export interface ModelRecord {
  manifest: Manifest
  shape: ModelShape
  folder: string
  tokenizer: { path: string; tensors: TensorMap }
  transformer: { path: string; tensors: TensorMap }
}

/** What the runner tells the sampler process. */
export type SamplerCommand =
  | { type: 'load'; models: ModelRecord[]; form: SamplerForm }
  | { type: 'sample'; batch: number; /** See `keyOf`. */ model: string; images: ImageRequest[] }
  /** Images nobody waits for any more, by index in the batch. They leave it after the running scale. */
  | { type: 'drop'; batch: number; images: number[] }

/** What the sampler process tells the runner. */
export type SamplerEvent =
  | { type: 'loaded' }
  /** A model cannot be served; the message is for the operator. */
  | { type: 'refused'; message: string }
  | { type: 'scale'; batch: number; scale: number; elapsedMs: number }
  /** What an image that asked for it looks like so far. */
  | { type: 'preview'; batch: number; preview: SampledPreview }
  | { type: 'sampled'; batch: number; model: string; images: SampledImage[]; side: number; scaleMs: number[]; decodeMs: number }
  | { type: 'failed'; batch: number; message: string }
