import { isUtf8 } from 'node:buffer'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'

/** A key of Redis. Its time to live is in ms; the members of a sorted set go with their scores. */
export type RecordedKey = { ttl?: number } & (
  | { type: 'string'; value: string }
  | { type: 'bytes'; /** Base64. */ value: string }
  | { type: 'hash'; value: Record<string, string> }
  | { type: 'list' | 'set'; value: string[] }
  | { type: 'zset'; value: [member: string, score: number][] }
)

/** What a release left behind, and what was told to its callers. */
export interface Recorded {
  /** Its version and the day of its last change. */
  release: string
  /** When its processes were killed, in Unix ms. */
  at: number
  redis: Record<string, RecordedKey>
  /** Path in the object store to bytes in Base64. */
  objects: Record<string, string>
  told: Told
}

/** Generations by what had become of them, and what callers hold in their hands. */
export interface Told {
  key: string
  webhookUrl: string
  webhookSecret: string
  /** Ended, its pictures drawn from tokens that are kept. */
  succeeded: string
  draft: string
  canceled: string
  /** Ended; its receiver has answered 500 and is to be told again. */
  owed: string
  /** A runner was at it when it was killed. */
  held: string
  waiting: string[]
  /** The request that made the first that waits. */
  idempotent: { key: string; body: object }
}

/** `undefined` of what has lapsed since it was listed, and of streams: BullMQ's events of the moment, which nobody reads after a restart. */
const readKey = async (redis: Redis, key: string): Promise<RecordedKey | undefined> => {
  const pttl = await redis.pttl(key)
  const ttl = pttl > 0 ? { ttl: pttl } : {}
  const type = await redis.type(key)
  switch (type) {
    case 'string': {
      const bytes = (await redis.getBuffer(key)) ?? Buffer.of()
      if (isUtf8(bytes)) return { ...ttl, type, value: bytes.toString() }
      return { ...ttl, type: 'bytes', value: bytes.toString('base64') }
    }
    case 'hash':
      return { ...ttl, type, value: await redis.hgetall(key) }
    case 'list':
      return { ...ttl, type, value: await redis.lrange(key, 0, -1) }
    case 'set':
      return { ...ttl, type, value: await redis.smembers(key) }
    case 'zset': {
      const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES')
      const pairs = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', Number(flat[2 * i + 1])] as const)
      return { ...ttl, type, value: pairs.map(([member, score]) => [member, score]) }
    }
    case 'none':
    case 'stream':
      return undefined
    default:
      throw new Error(`${key} is a ${type}, which nothing here reads`)
  }
}

export const readRedis = async (url: string): Promise<Recorded['redis']> => {
  const redis = new Redis(url)
  const found: Recorded['redis'] = {}
  for (const key of (await redis.keys('*')).toSorted()) {
    const recorded = await readKey(redis, key)
    if (recorded) found[key] = recorded
  }
  redis.disconnect()
  return found
}

export const readObjects = async (folder: string): Promise<Recorded['objects']> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = paths.toSorted().map(async (path) => [path.slice(folder.length + 1), (await readFile(path)).toString('base64')])
  return Object.fromEntries(await Promise.all(read)) as Recorded['objects']
}

const DAY_MS = 86_400_000

/** Every time in a text, later by the age of the record: the clock, the one thing that cannot be real. */
const later =
  ({ at }: Recorded, age: number) =>
  (text: string) => {
    const isNear = (ms: number) => Math.abs(ms - at) < 100 * DAY_MS
    return text
      .replaceAll(/(?<!\d)\d{13}(?!\d)/g, (digits) => (isNear(Number(digits)) ? String(Number(digits) + age) : digits))
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (iso) => new Date(Date.parse(iso) + age).toISOString())
  }

/** BullMQ's scores of jobs that are delayed: ms times 4096, and a counter. */
const DELAYED_SCALE = 0x1000

const writeKey = (redis: Redis, key: string, recorded: RecordedKey, age: number, change: (text: string) => string) => {
  const members = (values: string[]) => values.map(change)
  switch (recorded.type) {
    case 'string':
      return redis.set(key, change(recorded.value))
    case 'bytes':
      return redis.set(key, Buffer.from(recorded.value, 'base64'))
    case 'hash':
      return redis.hset(key, ...Object.entries(recorded.value).flatMap(members))
    case 'list':
      return redis.rpush(key, ...members(recorded.value))
    case 'set':
      return redis.sadd(key, ...members(recorded.value))
    case 'zset': {
      const score = (was: number) => (key.endsWith(':delayed') ? was + age * DELAYED_SCALE : Number(change(String(was))))
      return redis.zadd(key, ...recorded.value.flatMap(([member, was]) => [score(was), change(member)]))
    }
  }
}

/** Puts back what a release left, as if it had been killed just now. Whom it owes an announcement listens at another URL. */
export const restore = async (recorded: Recorded, to: { redisUrl: string; objects: string; webhookUrl: string }) => {
  const age = Date.now() - recorded.at
  const shift = later(recorded, age)
  const change = (text: string) => shift(text).replaceAll(recorded.told.webhookUrl, to.webhookUrl)
  const redis = new Redis(to.redisUrl)
  for (const [key, value] of Object.entries(recorded.redis)) {
    await writeKey(redis, key, value, age, change)
    if (value.ttl !== undefined) await redis.pexpire(key, value.ttl)
  }
  redis.disconnect()
  for (const [path, bytes] of Object.entries(recorded.objects)) {
    await mkdir(dirname(join(to.objects, path)), { recursive: true })
    await writeFile(join(to.objects, path), Buffer.from(bytes, 'base64'))
  }
}
