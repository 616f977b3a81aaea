import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'

/** For one command of the check: what Redis does not answer then is not held to be missing. */
const TIMEOUT_MS = 1500

/** What a Redis user must be allowed, as `ACL SETUSER` takes it. The prefix is that of all keys. */
export const aclRules = (prefix: string): string =>
  `~{${prefix}}:* &{${prefix}}:* -@all +@read +@write +@scripting +@transaction +@pubsub +@connection +time -@dangerous +info`

/** Every command that is sent, or that a script runs, in a form that is allowed wherever the command is; none of them is run. */
const probesOf = ({ bullmq, cancelChannel }: RedisKeys): [name: string, ...args: string[]][] => {
  const key = `${bullmq}:probe`
  return [
    ...['get', 'exists', 'del', 'incr', 'llen', 'zcard', 'scard', 'hlen', 'hgetall', 'hvals', 'zpopmin'].map(
      (name): [string, string] => [name, key]
    ),
    ...['hget', 'hdel', 'hmget', 'srem', 'sadd', 'zrem', 'zscore', 'zrank', 'lpush', 'rpush', 'lpos'].map(
      (name): [string, string, string] => [name, key, '1']
    ),
    ...['set', 'lindex', 'expire', 'pexpire', 'publish'].map((name): [string, string, string] => [
      name,
      name === 'publish' ? cancelChannel : key,
      '1'
    ]),
    ['hset', key, 'a', '1'],
    ['hincrby', key, 'a', '1'],
    ['lrem', key, '1', 'a'],
    ['lrange', key, '0', '0'],
    ['rename', key, key],
    ['zscan', key, '0'],
    ['ltrim', key, '0', '0'],
    ['rpoplpush', key, key],
    ['zadd', key, '1', 'a'],
    ['zcount', key, '0', '1'],
    ['zrange', key, '0', '1'],
    ['zrangebyscore', key, '0', '1'],
    ['zrevrangebyscore', key, '1', '0'],
    ['zremrangebyscore', key, '0', '1'],
    ['bzpopmin', key, '1'],
    ['xadd', key, '*', 'a', '1'],
    ['xtrim', key, 'MAXLEN', '1'],
    ['xrevrange', key, '+', '-'],
    ['xread', 'STREAMS', key, '0'],
    ['eval', 'return 1', '0'],
    ['evalsha', '0'.repeat(40), '0'],
    ['script', 'LOAD', 'return 1'],
    ['time'],
    ['ping'],
    ['info', 'memory']
  ]
}

const isForbidden = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOPERM')

/** Whether a command is refused for want of permission. */
const isRefused = (sent: Promise<unknown>): Promise<boolean> => sent.then(() => false, isForbidden)

/**
 * Names of the commands that the user of a connection may not run, or not on the keys of the service. They are queued in a
 * transaction, where Redis checks them, and never run. `redis` should be a connection of its own.
 */
const missingCommands = async (redis: Redis, keys: RedisKeys): Promise<string[]> => {
  // Without it, what follows would be run.
  if (await isRefused(redis.multi({ pipeline: false }))) return ['MULTI']
  const probes = probesOf(keys)
  const queued = Promise.all(probes.map(([name, ...args]) => isRefused(redis.call(name, ...args))))
  const discarded = redis.discard().catch(() => undefined)
  const isMissing = await queued
  await discarded
  const subscribe = await isRefused(redis.subscribe(keys.cancelChannel))
  const missing = probes.filter((_, place) => isMissing[place]).map(([name]) => name.toUpperCase())
  return subscribe ? [...missing, 'SUBSCRIBE'] : missing
}

const nameOf = (redis: Redis): string => {
  const { username } = redis.options
  return username ? `The Redis user ${username}` : "Redis' default user"
}

/**
 * A sentence that names the commands which the user of a connection lacks, or nothing. Without them everything would seem ready, and
 * generations would wait for ever.
 */
export const lackOfCommands = async (connected: Redis, keys: RedisKeys, prefix: string): Promise<string | undefined> => {
  const redis = connected.duplicate({ enableOfflineQueue: true, commandTimeout: TIMEOUT_MS, retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    const missing = await missingCommands(redis, keys)
    if (missing.length === 0) return undefined
    return `${nameOf(redis)} may not run ${missing.join(', ')} on the keys of this service: grant it \`${aclRules(prefix)}\`.`
  } finally {
    redis.disconnect()
  }
}
