import type { Result } from 'ioredis'

/** Reads an owner's secret, or remembers the proposed one where there is none: whoever comes first decides. */
export const DRAW_SECRET = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `
local secrets, owner, proposed, now = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local record = redis.call('HGET', secrets, owner)
if record then return record end
record = cjson.encode({ current = proposed, created_at = now })
redis.call('HSET', secrets, owner, record)
return record`
} as const

/** Puts the proposed secret in the place of the current one, which goes on to sign for a time. */
export const ROTATE_SECRET = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `
local secrets, owner, proposed, now, untilMs = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local record = { current = proposed, created_at = now }
local before = redis.call('HGET', secrets, owner)
if before then
  record.previous = cjson.decode(before).current
  record.previous_expires_at = untilMs
end
local text = cjson.encode(record)
redis.call('HSET', secrets, owner, text)
return text`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    drawSecret(secretsKey: string, owner: string, proposed: string, now: number): Result<string, Context>
    rotateSecret(secretsKey: string, owner: string, proposed: string, now: number, untilMs: number): Result<string, Context>
  }
}
