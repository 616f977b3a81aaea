const LOOKS_SO = 'must look like redis://host:6379, rediss://host:6379 or redis://user:password@host:6379'
const SENTINEL_LOOKS_SO = 'must look like redis+sentinel://host:26379,host:26379,host:26379/GROUP'
const CLUSTER_LOOKS_SO = 'must look like redis+cluster://host:6379,host:6379,host:6379'
const ENCODE = 'percent-encode it: "/" is %2F, "?" %3F, "#" %23, "@" %40 and "%" %25'

const SENTINEL_PORT = 26_379
const REDIS_PORT = 6379

/** Where a server listens. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

interface Common {
  readonly hosts: readonly HostAndPort[]
  readonly isTls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
}

/** A Redis that several servers are: those that sentinels watch under the name of a group, or the nodes of a cluster. */
export type SeveralRedis =
  | (Common & {
      readonly kind: 'sentinel'
      readonly group: string
      readonly db: number
      readonly sentinelPassword: string | undefined
    })
  | (Common & { readonly kind: 'cluster' })

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const isRedisUrl = (text: string): boolean => {
  if (/\s/.test(text) || !URL.canParse(text)) return false
  const { protocol, host } = new URL(text)
  return ['redis:', 'rediss:'].includes(protocol) && host !== ''
}

const hasDatabase = (text: string): boolean => /^\/?(\d{1,5}\/?)?$/.test(new URL(text).pathname)

/** `scheme://user:password@hosts` and the rest. */
const PARTS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@]*)@)?([^/?#@\s]+)([^\s]*)$/

const hostOf = (text: string, defaultPort: number): HostAndPort | undefined => {
  if (!/^(\[[0-9a-f:.]+\]|[^:[\]]+)(:\d{1,5})?$/i.test(text) || !URL.canParse(`http://${text}`)) return undefined
  const { hostname } = new URL(`http://${text}`)
  const port = Number(/:(\d+)$/.exec(text)?.[1] ?? defaultPort)
  return port > 0 ? { host: hostname.replaceAll(/[[\]]/g, ''), port } : undefined
}

const decoded = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : decodeURIComponent(text)

const credentialsOf = (text: string | undefined) => {
  const [, username, password] = /^([^:]*)(?::(.*))?$/.exec(text ?? '') ?? []
  return { username: decoded(username), password: decoded(password) }
}

/** What follows the hosts of sentinels: `/GROUP`, `/GROUP/DB`, and their own password as `?sentinel_password=`. */
const GROUP = /^\/([\w.-]+)(?:\/(\d{1,5}))?\/?(?:\?sentinel_password=([^&]+))?$/

/** Reads a URL of several servers; `undefined` of any other text, and of one that is wrong. */
export const severalOf = (text: string): SeveralRedis | undefined => {
  const [, scheme, kind, credentials, authority = '', rest = ''] = PARTS.exec(text) ?? []
  if (kind === undefined) return undefined
  const found = authority.split(',').map((host) => hostOf(host, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT))
  const hosts = found.filter((host) => host !== undefined)
  if (hosts.length < found.length) return undefined
  const common = { hosts, isTls: scheme === 'rediss', ...credentialsOf(credentials) }
  if (kind === 'cluster') return /^\/?$/.test(rest) ? { kind, ...common } : undefined
  const [, group, db, sentinelPassword] = GROUP.exec(rest) ?? []
  if (group === undefined) return undefined
  return { kind: 'sentinel', ...common, group, db: Number(db ?? 0), sentinelPassword: decoded(sentinelPassword) }
}

const faultOfSeveral = (text: string): string | undefined => {
  if (severalOf(text) !== undefined) return undefined
  return text.includes('+sentinel:')
    ? `${SENTINEL_LOOKS_SO}, with the name of the group that the sentinels watch.`
    : `${CLUSTER_LOOKS_SO}, with some of its nodes.`
}

/**
 * What is wrong with the URL of a Redis, as the end of a sentence that begins with its name; `undefined` of one that can be
 * used. The URL is not repeated, since it may hold a password.
 */
export const faultOfRedisUrl = (text: string): string | undefined => {
  // Clients decode user names and passwords, and fail with a stack on a stray percent sign.
  if (!isDecodable(text)) return 'has a "%" that is not percent-encoding: write it as "%25".'
  // The authority ends at the first of these, and so would the password, even where what is left can be read as a URL.
  if (/^rediss?(\+\w+)?:\/\/[^@]*[/?#][^@]*@/.test(text))
    return `has a "/", "?" or "#" before its last "@": if it is in the password, ${ENCODE}.`
  if (/^rediss?\+(sentinel|cluster):\/\//.test(text)) return faultOfSeveral(text)
  if (isRedisUrl(text))
    return hasDatabase(text)
      ? undefined
      : 'has no number of a database after its host: write redis://host:6379/0, or leave it out.'
  return /^rediss?:\/\/.*@/.test(text) ? `${LOOKS_SO}. Is it the password, ${ENCODE}.` : `${LOOKS_SO}.`
}

/** Whether connections are encrypted. */
export const isTlsUrl = (url: string): boolean => url.startsWith('rediss')

/** The hosts of a URL as it names them, for who reads what cannot be reached. */
export const hostsOfRedisUrl = (url: string): string => PARTS.exec(url)?.[4] ?? ''

/** User and password of a URL, decoded. */
export const credentialsOfRedisUrl = (url: string) => credentialsOf(PARTS.exec(url)?.[3])

/** The URL with other credentials; a user name that is not given stays. */
export const withCredentials = (
  url: string,
  { username, password }: { username?: string | undefined; password: string }
): string => {
  const [, scheme = '', kind, credentials, authority = '', rest = ''] = PARTS.exec(url) ?? []
  const user = username ?? credentialsOf(credentials).username ?? ''
  const own = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  return `${scheme}${kind === undefined ? '' : `+${kind}`}://${own}@${authority}${rest}`
}
