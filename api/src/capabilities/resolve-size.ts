import { type ModelCard, nameOfSize } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'
import type { Requested } from './requested.ts'

/** The size in force, the model's first where none is asked for. */
export const resolveSize = ({ id, sizes }: ModelCard, { size }: Requested): string | null => {
  const names = sizes.map(nameOfSize)
  if (size === undefined) return names[0] ?? null
  if (names.includes(size)) return size
  const detail = `${id} draws pictures of ${names.join(', ')}: size may be one of these, not ${size}.`
  throw new ProblemError('out_of_range_for_model', detail, { errors: [{ pointer: '/size', detail }] })
}
