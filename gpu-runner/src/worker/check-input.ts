import type { GenerationInput } from '@nextscale/openapi'
import { JobError } from '../errors.ts'
import type { OpenModel } from '../model/open-model.ts'

const requireThat = (condition: boolean, sentence: string): void => {
  if (!condition) throw new JobError('invalid_job', sentence)
}

/**
 * Holds the settings against the model: the API did so too, but this runner's may be another by now.
 * @throws JobError
 */
export const checkInput = (input: GenerationInput, { manifest, shape }: OpenModel): void => {
  const { id, revision } = manifest
  if (input.model_revision !== revision) {
    throw new JobError(
      'model_not_served',
      `No runner serves revision ${input.model_revision} of ${id}; this one has ${revision}.`
    )
  }
  const { schedule } = input
  for (const label of [input.class_label, ...(schedule?.class_label ?? [])])
    requireThat(label === null || label < shape.transformer.classes, `${id} has no class ${label}.`)
  for (const topK of [input.top_k, ...(schedule?.top_k ?? [])])
    requireThat(topK <= shape.tokenizer.vocabulary, `top_k ${topK} exceeds the vocabulary of ${id}.`)
  for (const values of Object.values(schedule ?? {}))
    requireThat(values === null || values.length === shape.scales.length, `The schedule does not fit the scales of ${id}.`)
}
