import { randomUUID } from 'node:crypto'
import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import { onRedis } from './errors.ts'

/** What replicas may take to have it. */
const WAIT_MS = 1000
/** Long enough for one confirmation; a process that is gone leaves nothing behind. */
const TOKEN_SECONDS = 60

/** Makes sure that what was written outlives the loss of the primary. */
export interface Replication {
  /** To be called before something is written. Resolves, when called again, once the replicas have what was written since. */
  begin(): () => Promise<void>
}

interface Parts {
  /** The connection that requests write by. */
  redis: Redis
  /** Another one, which may wait. */
  waiting: Redis
  keys: RedisKeys
  /** How many replicas must have it. */
  replicas: number
}

const unconfirmed = (cause?: unknown) =>
  new ProblemError(
    'queue_unavailable',
    'This was done, but the replicas of the queue do not have it yet: it may be lost with the primary. Send it again, with the same Idempotency-Key.',
    { cause }
  )

/**
 * Requests that wait at the same time are confirmed together, one WAIT after another. It waits on a connection of its own, or every
 * command of other requests would wait as well; that this one is at the same primary, and behind what was written, is seen by a token
 * that the other connection has written.
 */
export const createReplication = ({ redis, waiting, keys, replicas }: Parts): Replication => {
  const key = keys.confirmation(randomUUID())
  let connections = 0
  redis.on('close', () => (connections += 1))

  const confirmAll = async (): Promise<number> => {
    const token = randomUUID()
    await redis.set(key, token, 'EX', TOKEN_SECONDS)
    if ((await waiting.getset(key, '')) !== token) throw new Error('the two connections are at different servers')
    return waiting.wait(replicas, WAIT_MS)
  }
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<number> | undefined
  const confirm = (): Promise<number> => {
    next ??= running.then(() => {
      const current = onRedis(confirmAll)
      running = current.catch(() => undefined)
      next = undefined
      return current
    })
    return next
  }
  return {
    begin: () => {
      const before = connections
      return async () => {
        const confirmed = await confirm().catch((error: unknown) => Promise.reject(unconfirmed(error)))
        // Written by a connection that is no more, it may have been to a primary that is none any more.
        if (connections !== before || confirmed < replicas) throw unconfirmed()
      }
    }
  }
}
