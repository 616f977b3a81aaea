import type { GenerationInput } from '@nextscale/openapi'
import { seedOf } from '../../families/seed-of.ts'
import type { SizeName } from './shape.ts'

/** What the sampler is asked for. */
export interface ImageRequest {
  seed: number
  size: SizeName
  prompt: string
  negativePrompt: string
  /** 0 draws grey, whatever the prompt. */
  cfg: number
  /** The scale it ends after. */
  last: number
  /** The first scales are drawn with another seed. */
  keep: { seed: number; scales: number } | null
  previews: readonly number[]
}

export const toImageRequest = (input: GenerationInput, size: SizeName, last: number, index: number): ImageRequest => ({
  seed: seedOf(input.seed, index),
  size,
  prompt: input.prompt ?? '',
  negativePrompt: input.negative_prompt ?? '',
  cfg: input.cfg,
  last,
  keep: input.keep && { seed: seedOf(input.keep.seed, index), scales: input.keep.scales },
  previews: input.previews
})
