import type { ModelCard, ProblemCode } from '@nextscale/openapi'
import { nearest } from '../http/nearest.ts'
import { type FieldError, ProblemError } from '../http/problem.ts'
import { shown } from '../http/shown.ts'

type Code = Extract<ProblemCode, 'unknown_model' | 'model_not_found'>

/** That no model of this id is served, with the one that may have been meant and those that are. */
export const notServed = (code: Code, id: string, cards: readonly ModelCard[], pointer?: string): ProblemError => {
  const served = cards.map((card) => card.id)
  const [similar] = nearest(id, served, { count: 1 })
  const hint = similar === undefined ? '' : ` Did you mean ${similar}?`
  const detail =
    served.length === 0
      ? 'No model is served here now.'
      : `${shown(id)} is not served here.${hint} The models are ${served.join(', ')}.`
  const errors: FieldError[] = pointer === undefined ? [] : [{ pointer, detail }]
  return new ProblemError(code, detail, { errors })
}
