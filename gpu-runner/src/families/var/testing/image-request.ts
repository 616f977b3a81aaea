import type { ImageRequest } from '../sampler/image-request.ts'

/** A guided request that the shipped model honours, with some settings changed. */
export const imageRequest = (changes: Partial<ImageRequest>): ImageRequest => ({
  seed: 1,
  label: 2,
  cfg: 3,
  topK: 200,
  topP: 0.95,
  smooth: false,
  schedule: null,
  ...changes
})
