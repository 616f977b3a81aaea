import type { FamilyCard } from '@nextscale/openapi'
import type { SamplerForm } from '../../sampler/sampler-form.ts'
import type { OpenModel } from './model/open-model.ts'
import { TAKEN } from './taken.ts'

/** Tensors that generation does not use: the encoder, statistics of training, and tables that follow from the scales. */
const UNUSED = /^(encoder\.|quant_conv\.|quantize\.ema_|lvl_1L$|attn_bias_for_masking$)/
export const isUsed = (name: string) => !UNUSED.test(name)

const square = (side: number) => ({ height: side, width: side })

/** What the API is told about a model of a runner that computes it in that form. */
export const modelCard = ({ manifest, shape, tokenizer, transformer }: OpenModel, form: SamplerForm['form']): FamilyCard => ({
  id: manifest.id,
  name: manifest.name,
  description: manifest.description ?? null,
  revision: manifest.revision,
  license: manifest.license,
  family: 'var',
  sizes: [square(shape.resolution)],
  scales: shape.scales.map(square),
  vocabulary_size: shape.tokenizer.vocabulary,
  parameters: { transformer: transformer.parameters(isUsed), tokenizer: tokenizer.parameters(isUsed) },
  capabilities: [...TAKEN[form]],
  defaults: manifest.defaults,
  classes: manifest.classes
})
