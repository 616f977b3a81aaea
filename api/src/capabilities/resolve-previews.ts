import type { GenerateRequest, ModelCard } from '@nextscale/openapi'
import { summarise } from '../http/field-errors.ts'
import { type FieldError, ProblemError } from '../http/problem.ts'

type Requested = Exclude<GenerateRequest['previews'], null>

/** Where `auto` makes previews, as shares of the way to the picture. */
const AUTO_SHARES = [0.25, 0.5, 0.75]

/** The scales before the last that is drawn. */
const whatMayBe = (last: number): string => {
  if (last === 0) return 'No scale is drawn before it: leave previews out.'
  return last === 1 ? 'Ask for scale 0, or leave it out.' : `Ask for scales of 0 to ${last - 1}, or leave it out.`
}

const whatIsWrong = ({ id, scales }: ModelCard, last: number, scale: number): string | undefined => {
  if (scale < last) return undefined
  const may = whatMayBe(last)
  if (scale >= scales.length) return `${id} has scales 0 to ${scales.length - 1}, no scale ${scale}. ${may}`
  if (scale === last) return `Scale ${scale} makes the picture itself. ${may}`
  return `The draft stops at scale ${last}, before scale ${scale}. ${may}`
}

/**
 * Scales after which previews are made, ascending. All lie before the last scale that is drawn, which makes the picture.
 * @throws ProblemError that names every scale that does not.
 */
export const resolvePreviews = (
  card: ModelCard,
  { previews, stop_at_scale: stop }: { previews?: Requested; stop_at_scale?: number | null }
): number[] => {
  const last = Math.min(stop ?? Number.POSITIVE_INFINITY, card.scales.length - 1)
  if (previews === undefined || previews === 'none') return []
  if (previews === 'auto') {
    const chosen = AUTO_SHARES.map((share) => Math.round(share * last)).filter((scale) => scale < last)
    return [...new Set(chosen)]
  }
  const errors = previews.flatMap((scale, position): FieldError[] => {
    const detail = whatIsWrong(card, last, scale)
    return detail === undefined ? [] : [{ pointer: `/previews/${position}`, detail }]
  })
  if (errors.length > 0) throw new ProblemError('out_of_range_for_model', summarise(errors), { errors })
  return previews.toSorted((a, b) => a - b)
}
