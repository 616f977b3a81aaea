import type { Redis } from 'ioredis'

const CHUNK = 20_000
/** Newest jobs that get a body: those a page of the list shows. */
const BODIES = 1_000

const CLONE = `
local alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
local first, count, bodies = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local job = bodies and redis.call('HGETALL', KEYS[1]) or {}
local prefix = string.sub(KEYS[1], 1, #KEYS[1] - 30)
for i = first, first + count - 1 do
  local rest, digits = i, ''
  for _ = 1, 5 do
    local digit = rest % 32
    digits = string.sub(alphabet, digit + 1, digit + 1) .. digits
    rest = (rest - digit) / 32
  end
  local id = 'gen_' .. string.rep('a', 21) .. digits
  if bodies then redis.call('HSET', prefix .. id, unpack(job)) end
  for k = 2, #KEYS do redis.call('ZADD', KEYS[k], tonumber(ARGV[2 + k]) + i / 1000, id) end
end`

/** Every sorted set that a queued generation is in, and its score there. */
const setsWith = async (redis: Redis, id: string): Promise<[key: string, score: string][]> => {
  const found: [string, string][] = []
  for (const key of await redis.keys('*')) {
    const score = (await redis.type(key)) === 'zset' ? await redis.zscore(key, id) : null
    if (score !== null) found.push([key, score])
  }
  return found
}

/**
 * Queues copies of a queued generation, in the sets it is in. Only the newest get a body: a million of them would take
 * over a gigabyte, and accepting does not read them.
 */
export const fillQueue = async (redis: Redis, id: string, count: number): Promise<void> => {
  const sets = await setsWith(redis, id)
  const [job] = await redis.keys(`*generate-image*:${id}`)
  if (job === undefined || sets.length === 0) throw new Error(`${id} is not queued`)
  const keys = [job, ...sets.map(([key]) => key)]
  const scores = sets.map(([, score]) => score)
  for (let first = 0, size = 0; first < count; first += size) {
    const isNewest = first >= count - BODIES
    size = isNewest ? count - first : Math.min(CHUNK, count - BODIES - first)
    await redis.eval(CLONE, keys.length, ...keys, first, size, isNewest ? '1' : '0', ...scores)
  }
}
