import { BlockList, isIP } from 'node:net'
import type { FastifyServerOptions } from 'fastify'
import { ConfigError, readString } from '@nextscale/platform/config'

type Environment = Readonly<Record<string, string | undefined>>

/** Whose `X-Forwarded-*` headers count: those of some addresses, or of the last so many hops. */
export type TrustedProxies = readonly string[] | number

const MAX_HOPS = 10
const NAMED_RANGES = ['loopback', 'linklocal', 'uniquelocal']

const isRange = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  if (!/^\d{1,3}$/.test(prefix)) return false
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    return false
  }
}

/** Reads TRUST_PROXY; undefined trusts nobody. */
export const readTrustedProxies = (env: Environment): TrustedProxies | undefined => {
  const text = readString(env, 'TRUST_PROXY')
  if (text === undefined) return undefined
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_HOPS) return Number(text)
  const ranges = text.split(',').map((range) => range.trim())
  const wrong = ranges.find((range) => !isRange(range) && !NAMED_RANGES.includes(range))
  if (wrong === undefined) return Object.freeze(ranges)
  throw new ConfigError(
    `TRUST_PROXY must be the addresses or networks of your proxies, such as "10.0.0.0/8,192.168.1.5" or "loopback", or the number of proxies in a row, 1 to ${MAX_HOPS}; ${JSON.stringify(wrong)} is neither.`
  )
}

/** The same for Fastify, which takes a bare number of hops for a mistake: the peer itself has to be trusted as well. */
export const toTrustProxy = (trusted: TrustedProxies | undefined): NonNullable<FastifyServerOptions['trustProxy']> => {
  if (trusted === undefined) return false
  return typeof trusted === 'number' ? (_address, hop) => hop < trusted : [...trusted]
}
