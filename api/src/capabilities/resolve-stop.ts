import type { ModelCard } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'

/** The scale a draft stops after. The last one is no draft. */
export const resolveStop = ({ id, scales }: ModelCard, stop: number | null | undefined): number | null => {
  const last = scales.length - 1
  if (stop === undefined || stop === null || stop === last) return null
  if (stop < last) return stop
  const detail = `${id} has ${scales.length} scales, counted from 0: stop_at_scale may be 0 to ${last}, not ${stop}.`
  throw new ProblemError('out_of_range_for_model', detail, { errors: [{ pointer: '/stop_at_scale', detail }] })
}
