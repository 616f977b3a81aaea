import { once } from 'node:events'
import type { Redis } from 'ioredis'

const PING_TIMEOUT_MS = 500
const READY_TIMEOUT_MS = 1500

const answers = async (redis: Redis): Promise<boolean> => {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), PING_TIMEOUT_MS)
  try {
    return await Promise.race([redis.ping().then(() => true), once(timeout.signal, 'abort').then(() => false)])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

const untilReady = async (redis: Redis): Promise<void> => {
  if (redis.status === 'ready') return
  await once(redis, 'ready', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }).catch(() => undefined)
}

/**
 * Sees to it that a connection works before it is used, where the process may have been frozen for minutes since: the
 * other end may have hung up meanwhile, which nobody here has heard of. If Redis is away, requests find that out themselves.
 */
export const revive = async (redis: Redis): Promise<void> => {
  if (redis.status === 'ready' && !(await answers(redis)) && redis.status === 'ready') redis.disconnect(true)
  await untilReady(redis)
}
