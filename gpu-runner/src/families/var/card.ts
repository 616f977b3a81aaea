import { type ModelCard, OPTIONAL_CAPABILITIES, type OptionalCapability } from '@nextscale/openapi'
import type { SamplerForm } from '../../sampler/sampler-form.ts'
import type { OpenModel } from './model/open-model.ts'

/** Tensors that generation does not use: the encoder, statistics of training, and tables that follow from the scales. */
const UNUSED = /^(encoder\.|quant_conv\.|quantize\.ema_|lvl_1L$|attn_bias_for_masking$)/
export const isUsed = (name: string) => !UNUSED.test(name)

/** What this build honours for every model; one run for all scales makes nothing of those before the last. */
const SUPPORTED: Record<SamplerForm['form'], readonly OptionalCapability[]> = {
  step: ['smooth', 'schedule', 'return_tokens', 'stop_at_scale', 'previews'],
  fused: ['smooth', 'schedule', 'return_tokens']
}
const unsupportedBy = (form: SamplerForm['form']) =>
  Object.keys(OPTIONAL_CAPABILITIES).filter((field) => !SUPPORTED[form].some((supported) => supported === field))

/** What the API is told about a model of a runner that computes it in that form. */
export const modelCard = (
  { manifest, shape, tokenizer, transformer }: OpenModel,
  form: SamplerForm['form']
): Omit<ModelCard, 'order' | 'announced_at'> => ({
  id: manifest.id,
  name: manifest.name,
  description: manifest.description ?? null,
  revision: manifest.revision,
  license: manifest.license,
  resolution: shape.resolution,
  scales: [...shape.scales],
  tokens_per_image: shape.tokens,
  vocabulary_size: shape.tokenizer.vocabulary,
  num_classes: shape.transformer.classes,
  parameters: { transformer: transformer.parameters(isUsed), tokenizer: tokenizer.parameters(isUsed) },
  defaults: manifest.defaults,
  unsupported: unsupportedBy(form),
  classes: manifest.classes
})
