import { CAPABILITIES, type GenerationInput, packTokens, settingsOf } from '@nextscale/openapi'
import type { SamplerForm } from '../../sampler/sampler-form.ts'
import type { GenerationPlan } from '../family.ts'
import { seedOf } from '../seed-of.ts'
import { checkInput } from './check-input.ts'
import type { OpenModel } from './model/open-model.ts'
import { TAKEN } from './taken.ts'
import { toImageRequest } from './to-image-request.ts'

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
    settingsOf: (index) => settingsOf(CAPABILITIES, TAKEN[form], input, seedOf(input.seed, index)),
    packTokens: (tokens) => packTokens(tokens, tokenizer.vocabulary)
  }
}
