import type { CapabilityName } from '@nextscale/openapi'
import type { SamplerForm } from '../../sampler/sampler-form.ts'

const ALWAYS = ['class_label', 'class_name', 'cfg', 'top_k', 'top_p', 'smooth', 'schedule', 'return_tokens'] as const

/** What every VAR model takes of a request; one run for all scales makes nothing of those before the last. */
export const TAKEN: Readonly<Record<SamplerForm['form'], readonly CapabilityName[]>> = {
  step: [...ALWAYS, 'stop_at_scale', 'previews'],
  fused: ALWAYS
}
