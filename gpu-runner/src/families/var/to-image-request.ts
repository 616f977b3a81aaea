import type { GenerationInput } from '@nextscale/openapi'
import { seedOf } from '../seed-of.ts'
import type { ImageRequest, ImageSchedule } from './sampler/image-request.ts'

const toSchedule = ({ cfg, top_k: topK, top_p: topP, class_label: label }: NonNullable<GenerationInput['schedule']>) =>
  ({ ...(cfg && { cfg }), ...(topK && { topK }), ...(topP && { topP }), ...(label && { label }) }) satisfies ImageSchedule

/** What the sampler is asked for picture `index` of a generation. */
export const toImageRequest = (input: GenerationInput, index: number): ImageRequest => ({
  seed: seedOf(input.seed, index),
  label: input.class_label,
  cfg: input.cfg,
  topK: input.top_k,
  topP: input.top_p,
  smooth: input.smooth,
  schedule: input.schedule && toSchedule(input.schedule),
  ...(input.stop_at_scale !== null && { stopAtScale: input.stop_at_scale }),
  ...(input.keep && { keep: { seed: seedOf(input.keep.seed, index), scales: input.keep.scales } }),
  previews: input.previews
})
