import { type GenerationInput, packTokens } from '@nextscale/openapi'
import type { SamplerForm } from '../../sampler/sampler-form.ts'
import type { GenerationPlan } from '../family.ts'
import { seedOf } from '../seed-of.ts'
import { checkInput } from './check-input.ts'
import type { OpenModel } from './model/open-model.ts'
import { toImageRequest } from './to-image-request.ts'

/** What reproduces picture `index` of a generation, alone. */
const settingsOf = (input: GenerationInput, index: number) => {
  const { model, model_revision, class_label, class_name, cfg, top_k, top_p, smooth, schedule } = input
  const seed = seedOf(input.seed, index)
  return { model, model_revision, class_label, class_name, seed, cfg, top_k, top_p, smooth, schedule }
}

/**
 * Says how a VAR model makes a generation.
 * @throws JobError, and NotServed where another runner may do what this one cannot.
 */
export const planGeneration = (input: GenerationInput, model: OpenModel, form: SamplerForm['form']): GenerationPlan => {
  checkInput(input, model, form)
  const { scales, resolution, tokenizer } = model.shape
  const drawn = scales.slice(0, (input.stop_at_scale ?? Number.POSITIVE_INFINITY) + 1)
  return {
    width: resolution,
    height: resolution,
    scaleTokens: drawn.map((side) => side * side),
    requestOf: (index) => toImageRequest(input, index),
    settingsOf: (index) => settingsOf(input, index),
    packTokens: (tokens) => packTokens(tokens, tokenizer.vocabulary)
  }
}
