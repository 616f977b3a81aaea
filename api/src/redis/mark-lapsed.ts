import type { Result } from 'ioredis'

/**
 * Marks a generation as ended by a deadline, only while its job waits: whoever takes it up later finds the mark, so what
 * the mark says never has to be taken back. A mark that is there stays as it was.
 */
export const MARK_LAPSED = {
  numberOfKeys: 3,
  readOnly: false,
  lua: `
local mark, job, active = KEYS[1], KEYS[2], KEYS[3]
local text, seconds, id = ARGV[1], ARGV[2], ARGV[3]
local found = redis.call('HMGET', job, 'data', 'finishedOn')
if not found[1] or found[2] or redis.call('LPOS', active, id) then return 0 end
redis.call('SET', mark, text, 'EX', seconds, 'NX')
return 1`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    markLapsed(
      markKey: string,
      jobKey: string,
      activeKey: string,
      mark: string,
      seconds: number,
      id: string
    ): Result<0 | 1, Context>
  }
}
