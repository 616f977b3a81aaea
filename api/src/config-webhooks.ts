import { Resolver } from 'node:dns'
import { ConfigError, readChoice, readInteger, readList, readSecret } from '@nextscale/platform/config'

type Environment = Readonly<Record<string, string | undefined>>

/** Where requests to addresses that callers name may go. */
export interface EgressConfig {
  /** `any` lets http and private addresses through: for development alone. */
  readonly targets: 'public' | 'any'
  /** Ports of public targets. */
  readonly ports: readonly number[]
  /** `address` or `address:port` of the name servers asked; those of the system when empty. */
  readonly dnsServers: readonly string[]
}

export interface WebhooksConfig {
  /** Pause before each further attempt; their number decides how often it is tried. */
  readonly retryDelaysMs: readonly number[]
  /** What one attempt may take in all. */
  readonly timeoutMs: number
  /** Deliveries a control process has under way at once, and those to one host. */
  readonly concurrency: number
  readonly perHost: number
  /** Ed25519 keys (`whsk_`) that sign besides the secret; all sign and all are published. */
  readonly signingKeys: readonly string[]
}

/** About three days. */
const RETRY_DELAYS_SECONDS = '5,30,120,600,3600,14400,36000,86400,118000'

const readPorts = (env: Environment): number[] =>
  readList(env, 'EGRESS_PORTS', '443,8443').map((item) => {
    const port = /^\d{1,5}$/.test(item) ? Number(item) : 0
    if (port >= 1 && port <= 65_535) return port
    throw new ConfigError(`EGRESS_PORTS must be ports such as "443,8443", not "${item}".`)
  })

const SERVER = /^(\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?|[0-9a-f]*:[0-9a-f:]+)$/i

const isServer = (item: string): boolean => {
  try {
    new Resolver().setServers([item])
    return SERVER.test(item)
  } catch {
    return false
  }
}

const readDnsServers = (env: Environment): string[] =>
  readList(env, 'EGRESS_DNS_SERVERS').map((item) => {
    if (isServer(item)) return item
    throw new ConfigError(`EGRESS_DNS_SERVERS must be addresses such as "10.0.0.2,[fd00::2]:53", not "${item}".`)
  })

export const readEgress = (env: Environment): EgressConfig =>
  Object.freeze({
    targets: readChoice(env, 'EGRESS', ['public', 'any'], 'public'),
    ports: readPorts(env),
    dnsServers: readDnsServers(env)
  })

const readRetryDelays = (env: Environment): number[] =>
  readList(env, 'WEBHOOK_RETRY_DELAYS_SECONDS', RETRY_DELAYS_SECONDS).map((item) => {
    const seconds = /^\d{0,7}(\.\d{1,3})?$/.test(item) ? Number(item) : 0
    if (seconds > 0) return seconds * 1000
    throw new ConfigError(`WEBHOOK_RETRY_DELAYS_SECONDS must be seconds such as "5,30,120", not "${item}".`)
  })

const readSigningKeys = (env: Environment): string[] =>
  readList({ keys: readSecret(env, 'WEBHOOK_SIGNING_KEYS') }, 'keys').map((item) => {
    // An Ed25519 seed, or the seed and the public key.
    const { length } = Buffer.from(item.replace(/^whsk_/, ''), 'base64')
    if (item.startsWith('whsk_') && (length === 32 || length === 64)) return item
    throw new ConfigError('WEBHOOK_SIGNING_KEYS must be Ed25519 keys: "whsk_" and the base64 of 32 random bytes each.')
  })

export const readWebhooks = (env: Environment): WebhooksConfig =>
  Object.freeze({
    retryDelaysMs: readRetryDelays(env),
    timeoutMs: readInteger(env, 'WEBHOOK_TIMEOUT_MS', 15_000, 100, 60_000),
    concurrency: readInteger(env, 'WEBHOOK_CONCURRENCY', 1000, 1, 10_000),
    perHost: readInteger(env, 'WEBHOOK_PER_HOST', 20, 1, 1000),
    signingKeys: readSigningKeys(env)
  })
