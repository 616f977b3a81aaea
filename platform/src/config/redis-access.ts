import { readFileOf, readSecret } from './read-secret.ts'
import { ConfigError, type Environment, readPattern, readString } from './readers.ts'
import { credentialsOfRedisUrl, faultOfRedisUrl, isTlsUrl } from './redis-url.ts'

/** How the URL of a Redis follows a password that changes. */
export interface RedisRenewal {
  /** The URL for a connection that is made now. */
  readonly url: () => string
  /** Redis does not take that URL's password: it is found out what it is by now, for the connection after. */
  readonly refused: () => Promise<void>
}

/** What it takes to connect to Redis. */
export interface RedisAccess {
  /** As it was at the start. */
  readonly redisUrl: string
  /** Certificate of the authority that Redis' certificate is held against, in PEM; unset means those that everyone knows. */
  readonly redisCa: string | undefined
  /** Unset where the URL stays as it is. */
  readonly redisRenewal: RedisRenewal | undefined
}

/** A user of ElastiCache whose passwords are signed by the credentials of AWS that the process has. */
export interface RedisIam {
  readonly user: string
  readonly cluster: string
  readonly region: string
}

const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379'

/** Checks the text of a URL, which is not repeated in errors, since it may hold a password; without a closing slash. */
export const parseRedisUrl = (name: string, text: string): string => {
  const fault = faultOfRedisUrl(text)
  if (fault === undefined) return text.replace(/\/+$/, '')
  throw new ConfigError(`${name} ${fault}`)
}

const sourceOf = (env: Environment): string =>
  readString(env, 'REDIS_URL_FILE') === undefined ? 'REDIS_URL' : 'The content of REDIS_URL_FILE'

/** The URL of a Redis, of its variable or its file. */
export const readRedisUrl = (env: Environment): string | undefined => {
  const text = readSecret(env, 'REDIS_URL')
  return text === undefined ? undefined : parseRedisUrl(sourceOf(env), text)
}

/** The file is read for each connection. While it cannot be used, as amid a change, its last content is. */
const renewalByFile = (env: Environment, first: string): RedisRenewal => {
  let last = first
  return {
    url: () => {
      try {
        return (last = readRedisUrl(env) ?? last)
      } catch {
        return last
      }
    },
    refused: () => Promise.resolve()
  }
}

const readCa = (env: Environment): string | undefined => {
  const path = readString(env, 'REDIS_CA_FILE')
  if (path === undefined) return undefined
  const mend = 'set it to the file of the authority, which begins with "-----BEGIN CERTIFICATE-----".'
  const pem = readFileOf('REDIS_CA_FILE', path, mend)
  if (/^-----BEGIN CERTIFICATE-----$/m.test(pem)) return pem
  throw new ConfigError(`REDIS_CA_FILE has no certificate: ${mend}`)
}

export const readRedisAccess = (env: Environment): RedisAccess => {
  const redisUrl = readRedisUrl(env) ?? DEFAULT_REDIS_URL
  const isFile = readString(env, 'REDIS_URL_FILE') !== undefined
  const redisCa = readCa(env)
  if (redisCa !== undefined && readString(env, 'REDIS_SECRET_ARN') === undefined && !isTlsUrl(redisUrl))
    throw new ConfigError(
      'REDIS_CA_FILE is for connections with TLS: let REDIS_URL begin with rediss://, or unset REDIS_CA_FILE.'
    )
  return { redisUrl, redisCa, redisRenewal: isFile ? renewalByFile(env, redisUrl) : undefined }
}

const ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@!-]+$/

const hasPassword = (env: Environment): boolean => {
  const url = readRedisUrl(env)
  return url !== undefined && credentialsOfRedisUrl(url).password !== undefined
}

/** ARN of the secret of AWS Secrets Manager that has the URL, or the password for it. */
export const readRedisSecretArn = (env: Environment): string | undefined => {
  const arn = readPattern(env, 'REDIS_SECRET_ARN', ARN, 'the ARN of a secret, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME')
  if (arn === undefined || !hasPassword(env)) return arn
  throw new ConfigError(
    'REDIS_SECRET_ARN is set, and REDIS_URL has a password: unset one of them, or leave the password out of REDIS_URL.'
  )
}

/** `user@cluster`: signed passwords in place of a constant one. */
export const readRedisIam = (env: Environment): RedisIam | undefined => {
  const text = readPattern(
    env,
    'REDIS_IAM',
    /^[A-Za-z][A-Za-z0-9-]*@[a-z][a-z0-9-]*$/,
    'USER@CLUSTER, a user of ElastiCache and the name of its replication group'
  )
  if (text === undefined) return undefined
  const url = readRedisUrl(env)
  if (url === undefined || !url.startsWith('rediss:') || credentialsOfRedisUrl(url).username !== undefined || hasPassword(env))
    throw new ConfigError(
      'REDIS_IAM needs REDIS_URL to be rediss://HOST:PORT without a user or password: AWS takes signed ones over TLS alone.'
    )
  if (readString(env, 'REDIS_SECRET_ARN') !== undefined)
    throw new ConfigError('REDIS_IAM and REDIS_SECRET_ARN are both set, and only one can be meant: unset the other.')
  const region = readString(env, 'AWS_REGION')
  if (region === undefined)
    throw new ConfigError('REDIS_IAM needs AWS_REGION: set it to the region of the cluster, such as eu-central-1.')
  const [user = '', cluster = ''] = text.split('@')
  return { user, cluster, region }
}
