import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

const PING_TIMEOUT_MS = 500
const DEADLINE_MS = 1500
const RETRY_MS = 10

/** Whether Redis answers; a connection on which it is silent is given up. */
const answers = async (redis: Redis): Promise<boolean> => {
  const timer = setTimeout(() => redis.disconnect(true), PING_TIMEOUT_MS)
  try {
    await redis.ping()
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Sees to it that a connection works before it is used, where the process may have been frozen for minutes since: the
 * other end may have hung up meanwhile, which nobody here has heard of. If Redis is away, requests find that out themselves.
 */
export const revive = async (redis: Redis): Promise<void> => {
  const deadline = performance.now() + DEADLINE_MS
  while (performance.now() < deadline) {
    if (redis.status === 'ready' && (await answers(redis))) return
    await sleep(RETRY_MS)
  }
}
