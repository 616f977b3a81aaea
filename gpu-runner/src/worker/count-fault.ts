import { queueOfPool, type RedisKeys } from '@nextscale/openapi'
import { WHEN_FULL } from '@nextscale/platform'
import type { Redis } from 'ioredis'

/** Of a job that is gone nothing is kept. */
const COUNT_FAULT = `${WHEN_FULL}
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
return redis.call('HINCRBY', KEYS[1], 'faults', 1)`

/** Counts an attempt that failed by its generation's own doing. Resolves with how many there are. */
export const countFault = async (
  { connection, keys, pool }: { connection: Redis; keys: RedisKeys; pool: string },
  generationId: string
): Promise<number> => Number(await connection.eval(COUNT_FAULT, 1, keys.job(queueOfPool(pool), generationId)))
