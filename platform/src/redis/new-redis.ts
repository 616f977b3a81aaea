import { Redis, type RedisOptions } from 'ioredis'
import type { RedisAccess } from '../config/index.ts'

/** Where Redis is: its URL, or that with what else it takes. */
export type RedisPlace = string | RedisAccess

type Options = Omit<RedisOptions, 'replyMapping'>

/** After so many connections in a row that failed, it is asked for a newer password. Whose error nobody hears, as of BullMQ's own, gets one so. */
const ATTEMPTS_BEFORE_ASKING = 3

const accessOf = (place: RedisPlace): RedisAccess =>
  typeof place === 'string' ? { redisUrl: place, redisCa: undefined, redisRenewal: undefined } : place

/** Whether Redis has said that the password is not, or no longer, the one. */
export const isRefusal = ({ message }: Error): boolean => /^(WRONGPASS|NOAUTH|ERR invalid password)/.test(message)

/** What a URL says, as options; of what a file or secret may change. */
const optionsOf = (url: string, ca: string | undefined): RedisOptions => {
  const { host, port, family, username, password, db, tls } = new Redis(url, { lazyConnect: true }).options
  const secured = tls && ca !== undefined ? { ca } : tls
  return { host, port, family, username, password, db, tls: secured } as RedisOptions
}

/**
 * A client of Redis. Each further connection, also of its duplicates, is made with the URL as it is then: options are looked at whenever
 * one is made.
 */
export const newRedis = (place: RedisPlace, options: Options): Redis => {
  const { redisUrl, redisCa: ca, redisRenewal: renewal } = accessOf(place)
  const { retryStrategy } = options
  const first = renewal?.url() ?? redisUrl
  const tls = ca !== undefined && first.startsWith('rediss:') ? { tls: { ca } } : {}
  const own: Options = { ...options, ...tls }
  if (!renewal || !retryStrategy) return new Redis(first, own)
  return new Redis(first, {
    ...own,
    // ioredis calls it as a method of the options of the client that connects.
    retryStrategy(this: RedisOptions, attempt: number) {
      if (attempt >= ATTEMPTS_BEFORE_ASKING) renewal.refused().catch(() => undefined)
      Object.assign(this, optionsOf(renewal.url(), ca))
      return retryStrategy(attempt)
    }
  })
}
