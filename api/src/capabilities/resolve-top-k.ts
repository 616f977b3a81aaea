import type { ModelCard } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'
import type { Requested } from './requested.ts'

/** What is wrong with a `top_k` for the model, if anything: more tokens than there are cannot be kept. */
export const wrongTopK = ({ id, vocabulary_size: vocabulary }: ModelCard, topK: number): string | undefined =>
  vocabulary === null || topK <= vocabulary
    ? undefined
    : `${id} has a vocabulary of ${vocabulary} tokens: top_k may be at most that, not ${topK}.`

export const resolveTopK = (card: ModelCard, { top_k: topK }: Requested): number => {
  if (topK === undefined) return card.defaults.top_k ?? 0
  const detail = wrongTopK(card, topK)
  if (detail === undefined) return topK
  throw new ProblemError('out_of_range_for_model', detail, { errors: [{ pointer: '/top_k', detail }] })
}
