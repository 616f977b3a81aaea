import type { CancelMark, RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { find, type Found } from './find.ts'
import { markSeconds } from './lapse.ts'
import type { GenerationReader } from './reader.ts'
import type { RemoveMarked } from './remove-marked.ts'
import { isTerminal } from './settle.ts'

interface CancelContext {
  redis: Redis
  removeMarked: RemoveMarked
  keys: RedisKeys
  reader: GenerationReader
}

/** Marks it and tells runners; false when by now there is nothing left to cancel. */
const writeMark = async ({ redis, keys }: CancelContext, id: string, mark: CancelMark): Promise<boolean> => {
  const text = JSON.stringify(mark)
  const places = [keys.cancelMark(id), keys.unreleased, keys.pools] as const
  return (await redis.markCanceled(...places, text, markSeconds(mark.payload), keys.cancelChannel, id)) === 1
}

/** Cancels a generation unless it is terminal. Safe to repeat and to run twice at once. */
export const cancel = async (context: CancelContext, owner: string, id: string): Promise<Found> => {
  const before = await find(context.reader, owner, id)
  const { snapshot, standing } = before
  if (isTerminal(standing) || snapshot.kind !== 'job') return before
  const mark = { canceled_at: Date.now(), created_at: snapshot.createdAt, payload: snapshot.payload }
  const isMarked = await onRedis(() => writeMark(context, id, mark))
  // A job that still waits could only be taken up by a runner that sees the mark, so removing it takes nothing from anyone; one
  // that is active by then is left to its runner.
  if (isMarked) await onRedis(() => context.removeMarked(id))
  return find(context.reader, owner, id)
}
