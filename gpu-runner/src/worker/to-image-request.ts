import type { GenerationInput } from '@nextscale/openapi'
import type { ImageRequest, ImageSchedule } from '../sampler/image-request.ts'

const toSchedule = ({ cfg, top_k: topK, top_p: topP, class_label: label }: NonNullable<GenerationInput['schedule']>) =>
  ({ ...(cfg && { cfg }), ...(topK && { topK }), ...(topP && { topP }), ...(label && { label }) }) satisfies ImageSchedule

/** What the sampler is asked for one picture of a generation. */
export const toImageRequest = (input: GenerationInput, seed: number): ImageRequest => ({
  seed,
  label: input.class_label,
  cfg: input.cfg,
  topK: input.top_k,
  topP: input.top_p,
  smooth: input.smooth,
  schedule: input.schedule && toSchedule(input.schedule),
  previews: input.previews
})
