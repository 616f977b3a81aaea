import { Redis, type RedisOptions } from 'ioredis'
import { DEFAULT_PREFIX, redisKeys } from '@nextscale/openapi'
import { isTlsUrl, type RedisAccess, severalOf } from '../config/index.ts'
import { clusterConnector } from './cluster-connector.ts'

/** Where Redis is: its URL, or that with what else it takes. */
export type RedisPlace = string | (RedisAccess & { readonly redisPrefix?: string })

type Options = Omit<RedisOptions, 'replyMapping'>

/** After so many connections in a row that failed, it is asked for a newer password. Whose error nobody hears, as of BullMQ's own, gets one so. */
const ATTEMPTS_BEFORE_ASKING = 3

const accessOf = (place: RedisPlace): RedisAccess & { readonly redisPrefix?: string } =>
  typeof place === 'string' ? { redisUrl: place, redisCa: undefined, redisRenewal: undefined } : place

/** Whether Redis has said that the password is not, or no longer, the one. */
export const isRefusal = ({ message }: Error): boolean => /^(WRONGPASS|NOAUTH|ERR invalid password)/.test(message)

interface Said {
  url: string
  ca: string | undefined
  prefix: string | undefined
}

/** Where sentinels say that the primary is, and how it is found. */
const optionsOfSeveral = ({ url, ca, prefix = DEFAULT_PREFIX }: Said): Options | undefined => {
  const several = severalOf(url)
  if (several === undefined) return undefined
  const { isTls, username, password, hosts } = several
  const tls = isTls ? { tls: ca === undefined ? {} : { ca } } : {}
  const common = { ...(username !== undefined && { username }), ...(password !== undefined && { password }), ...tls }
  if (several.kind === 'cluster') return { ...common, Connector: clusterConnector(hosts, redisKeys(prefix).models) }
  const { group, db, sentinelPassword } = several
  return {
    ...common,
    db,
    sentinels: [...hosts],
    name: group,
    failoverDetector: true,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(isTls && { enableTLSForSentinelMode: true, sentinelTLS: ca === undefined ? {} : { ca } })
  }
}

/** What a URL says, as options; of what a file or secret may change. */
const optionsOf = (said: Said): RedisOptions => {
  const several = optionsOfSeveral(said)
  if (several) return { username: several.username, password: several.password } as RedisOptions
  const { url, ca } = said
  const { host, port, family, username, password, db, tls } = new Redis(url, { lazyConnect: true }).options
  const secured = tls && ca !== undefined ? { ca } : tls
  return { host, port, family, username, password, db, tls: secured } as RedisOptions
}

/** ioredis goes on with database 0 where it cannot select the one that is asked for, whose data is another service's. */
const refuseOtherDatabase = (redis: Redis): Redis =>
  redis.on('error', ({ message }: Error) => {
    if (/DB index is out of range/.test(message)) redis.disconnect()
  })

const open = (said: Said, options: Options): Redis => {
  const several = optionsOfSeveral(said)
  // Sentinels that are all away are asked again as a server that is away is.
  if (several)
    return refuseOtherDatabase(new Redis({ ...options, ...several, sentinelRetryStrategy: options.retryStrategy } as Options))
  const { url, ca } = said
  return refuseOtherDatabase(new Redis(url, { ...options, ...(ca !== undefined && isTlsUrl(url) && { tls: { ca } }) }))
}

/**
 * A client of Redis: of one server, of the primary that sentinels name, or of the node of a cluster that has the service's keys. Each
 * further connection, also of its duplicates, is made with the URL as it is then: options are looked at whenever one is made.
 */
export const newRedis = (place: RedisPlace, options: Options): Redis => {
  const { redisUrl, redisCa: ca, redisRenewal: renewal, redisPrefix: prefix } = accessOf(place)
  const { retryStrategy } = options
  const said = (): Said => ({ url: renewal?.url() ?? redisUrl, ca, prefix })
  if (!renewal || !retryStrategy) return open(said(), options)
  return open(said(), {
    ...options,
    // ioredis calls it as a method of the options of the client that connects.
    retryStrategy(this: RedisOptions, attempt: number) {
      if (attempt >= ATTEMPTS_BEFORE_ASKING) renewal.refused().catch(() => undefined)
      Object.assign(this, optionsOf(said()))
      return retryStrategy(attempt)
    }
  })
}
