import type { ServedModel } from '../families/family.ts'
import type { SampledPreview, SampleResult } from '../families/open-sampler.ts'
import type { SamplerForm } from './sampler-form.ts'

/** A model as it crosses to the sampler process. */
export type ModelRecord = Pick<ServedModel, 'id' | 'revision' | 'family' | 'opening'>

/** What the runner tells the sampler process about a model in its memory; each is answered. `model`: see `keyOf`. */
export type ModelCommand =
  | { type: 'load'; model: string; record: ModelRecord; form: SamplerForm }
  | { type: 'release'; model: string }

/** What the runner tells the sampler process. */
export type SamplerCommand =
  | ModelCommand
  | {
      type: 'sample'
      batch: number
      /** See `keyOf`. */ model: string
      /** As the model's family asks for them. */ images: object[]
    }
  /** Images nobody waits for any more, by index in the batch. They leave it after the running scale. */
  | { type: 'drop'; batch: number; images: number[] }

/** What the sampler process answers to a `ModelCommand`. */
export type ModelAnswer =
  | { type: 'loaded' | 'released'; model: string }
  /** It cannot be done; the message is for the operator. */
  | { type: 'refused'; model: string; message: string }

/** What the sampler process tells the runner. */
export type SamplerEvent =
  | ModelAnswer
  | { type: 'scale'; batch: number; scale: number; elapsedMs: number }
  /** What an image that asked for it looks like so far. */
  | { type: 'preview'; batch: number; preview: SampledPreview }
  | ({ type: 'sampled'; batch: number; model: string } & SampleResult)
  | { type: 'failed'; batch: number; message: string }
