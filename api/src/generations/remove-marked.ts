import type { GenerateImagePayload, RedisKeys } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import { CLOSE_REMOVAL, OPEN_REMOVAL } from '../redis/removal.ts'
import { runTransaction } from '../redis/run-transaction.ts'

interface RemovalContext {
  queue: Queue<GenerateImagePayload>
  keys: RedisKeys
}

/** What became of a generation's job: it was removed, or a runner has to end it, or there is nothing left to do. */
export type Removal = 'removed' | 'active' | 'done'

/** The reply of our script. */
const asPlace = (result: unknown) => result as 'marked' | 'active' | 'absent' | 'finished' | 'unmarked'

/**
 * Takes a marked generation out of the queue if it waits, which releases the delivery of its end. One that is active is
 * left to its runner, also where that has lost its lock. Safe to repeat and to run twice at once.
 */
export const removeMarked = async ({ queue, keys }: RemovalContext, id: string): Promise<Removal> => {
  const job = queue.toKey(id)
  const own = [job, keys.cancelMark(id), queue.toKey('active'), `${job}:lock`]
  const client = await queue.backend.client
  const transaction = client.multi()
  // Sent as they are: this is rare, and a queue may have a connection of its own, which knows none of our scripts.
  transaction.runCommand('eval', [OPEN_REMOVAL, own.length, ...own, id])
  // As `queue.remove` does, which cannot be part of a transaction.
  queue.backend.execCommand(transaction, 'removeJob', [job, queue.toKey('repeat'), id, 0, queue.toKey('')])
  transaction.runCommand('eval', [CLOSE_REMOVAL, own.length + 1, ...own, keys.unreleased, id])
  const [place, isRemoved] = await runTransaction(client, transaction)
  if (asPlace(place) === 'marked' && isRemoved === 1) return 'removed'
  return asPlace(place) === 'active' || asPlace(place) === 'marked' ? 'active' : 'done'
}
