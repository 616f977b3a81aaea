import { FIND_JOB } from '@nextscale/platform'
import type { Result } from 'ioredis'

/** Finds the job of a generation in the queue of whichever pool has it. */
export const FIND_GENERATION = {
  numberOfKeys: 1,
  readOnly: true,
  lua: `${FIND_JOB}
local base, pool = findJob(KEYS[1], ARGV[1])
local found = redis.call('HMGET', base .. ARGV[1], 'data', 'finishedOn')
return { 'pool', pool, 'data', found[1], 'finishedOn', found[2] }`
} as const

/** The script's reply, as `namedReply` reads it. */
export interface FoundReply {
  /** The default pool where none has the job. */
  pool: string
  data: string | null
  finishedOn: string | null
}

declare module 'ioredis' {
  interface RedisCommander<Context> {
    findGeneration(poolsKey: string, id: string): Result<unknown, Context>
  }
}
