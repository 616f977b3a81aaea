import type { RedisKeys } from '@nextscale/openapi'
import { scriptOf } from '@nextscale/platform'
import type { Queue, RedisClient } from 'bullmq'
import { removalScript } from '../redis/removal.ts'

/** What became of a generation's job: it was removed, or a runner has to end it, or there is nothing left to do. */
export type Removal = 'removed' | 'active' | 'done'

/**
 * Takes a marked generation out of its queue if it waits, which releases the delivery of its end. One that is active is
 * left to its runner, also where that has lost its lock. Safe to repeat and to run twice at once.
 */
export type RemoveMarked = (id: string) => Promise<Removal>

/** The reply of our script. */
const asReply = (result: unknown) =>
  result as [place: 'marked' | 'active' | 'absent' | 'finished' | 'unmarked', isRemoved: number]

const COMMAND = 'removeMarked'
const NUMBER_OF_KEYS = 3
const taught = new WeakSet<RedisClient>()

/** The client of a queue, which knows the script from its first use on. */
const teach = async (queue: Queue): Promise<RedisClient> => {
  const client = await queue.backend.client
  if (taught.has(client)) return client
  client.defineCommand(COMMAND, { numberOfKeys: NUMBER_OF_KEYS, lua: removalScript(scriptOf(client, 'removeJob')) })
  taught.add(client)
  return client
}

/** `queue` is any on the connection. */
export const createRemoveMarked =
  (queue: Queue, keys: RedisKeys): RemoveMarked =>
  async (id) => {
    const client = await teach(queue)
    const [place, isRemoved] = asReply(await client.runCommand(COMMAND, [keys.cancelMark(id), keys.unreleased, keys.pools, id]))
    if (place === 'marked' && isRemoved === 1) return 'removed'
    return place === 'active' || place === 'marked' ? 'active' : 'done'
  }
