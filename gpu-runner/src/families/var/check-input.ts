import type { GenerationInput } from '@nextscale/openapi'
import { JobError, NotServed } from '../../errors.ts'
import { requireTaken } from '../require-taken.ts'
import type { OpenModel } from './model/open-model.ts'
import type { SamplerForm } from '../../sampler/sampler-form.ts'
import { TAKEN } from './taken.ts'

const requireThat = (condition: boolean, sentence: string): void => {
  if (!condition) throw new JobError('invalid_job', sentence)
}

/**
 * Holds the settings against the model of their revision, as the API did.
 * @throws JobError, and NotServed where another runner may do what this one cannot.
 */
export const checkInput = (input: GenerationInput, { manifest, shape }: OpenModel, form: SamplerForm['form']): void => {
  const { id, revision } = manifest
  const { schedule, stop_at_scale: stop, keep } = input
  requireTaken(input, TAKEN[form])
  requireThat(stop === null || stop < shape.scales.length, `${id} has no scale ${stop}.`)
  requireThat(keep === null || keep.scales < shape.scales.length, `${id} has no ${keep?.scales} scales to keep and one to draw.`)
  if (stop !== null && form === 'fused')
    throw new NotServed({ id, revision }, `It waits for a runner that can stop ${id} before its last scale.`)
  for (const label of [input.class_label, ...(schedule?.class_label ?? [])])
    requireThat(label === null || label < shape.transformer.classes, `${id} has no class ${label}.`)
  for (const topK of [input.top_k, ...(schedule?.top_k ?? [])])
    requireThat(topK <= shape.tokenizer.vocabulary, `top_k ${topK} exceeds the vocabulary of ${id}.`)
  for (const values of Object.values(schedule ?? {}))
    requireThat(values === null || values.length === shape.scales.length, `The schedule does not fit the scales of ${id}.`)
}
