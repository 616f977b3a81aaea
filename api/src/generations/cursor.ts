import { DELIVERY_ID_PATTERN, GENERATION_ID_PATTERN } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'

/** A place in an index: everything older than this entry follows. The entry itself need not exist any more. */
export interface Cursor {
  score: number
  id: string
}

/** Of what an index may be. */
const IDS = { generation: new RegExp(GENERATION_ID_PATTERN), delivery: new RegExp(DELIVERY_ID_PATTERN) }

export const encodeCursor = ({ score, id }: Cursor): string => Buffer.from(`${score}:${id}`).toString('base64url')

/** Reads a cursor a client sent back. Throws a problem when this server did not write it. */
export const decodeCursor = (text: string, indexed: keyof typeof IDS = 'generation'): Cursor => {
  const [score = '', id = '', ...rest] = Buffer.from(text, 'base64url').toString('latin1').split(':')
  const cursor = { score: Number(score), id }
  if (/^\d{1,15}$/.test(score) && IDS[indexed].test(id) && rest.length === 0 && encodeCursor(cursor) === text) return cursor
  const detail = 'Pass the next_cursor of the page before as it was, or leave cursor out to start at the newest.'
  throw new ProblemError('invalid_cursor', detail, { errors: [{ pointer: '/query/cursor', detail }] })
}
