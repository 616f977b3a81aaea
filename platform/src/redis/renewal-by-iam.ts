import { createHash, createHmac } from 'node:crypto'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { ConfigError, type RedisIam, type RedisRenewal } from '../config/index.ts'

/** For how long Redis takes a token, which it looks at only when a connection is made. */
const VALID_SECONDS = 900

interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** As AWS has it: everything but letters, digits and "-_.~". */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase()}`)

/** A password for a user of ElastiCache: a presigned request to connect (Signature Version 4), without its protocol. */
export const signToken = ({ user, cluster, region }: RedisIam, credentials: Credentials, now: Date): string => {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${region}/elasticache/aws4_request`
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const query = Object.entries({
    Action: 'connect',
    User: user,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(VALID_SECONDS),
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host'
  })
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&')
  const nothing = createHash('sha256').digest('hex')
  const request = ['GET', '/', query, `host:${cluster}\n`, 'host', nothing].join('\n')
  const digest = createHash('sha256').update(request).digest('hex')
  const key = scope.split('/').reduce<string | Buffer>((by, part) => hmac(by, part), `AWS4${secretAccessKey}`)
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, digest].join('\n')).toString('hex')
  return `${cluster}/?${query}&X-Amz-Signature=${signature}`
}

type Provider = () => Promise<Credentials>

/**
 * The URL of Redis with a token as password, signed anew for each connection. Credentials are those that the process has; they are asked for again
 * with each token, for the one after: the provider keeps them until shortly before their end.
 * @throws ConfigError when there are none.
 */
export const renewalByIam = async (
  iam: RedisIam,
  address: string,
  provide: Provider = defaultProvider(),
  now = () => new Date()
): Promise<RedisRenewal> => {
  const renew = async () => void (credentials = await provide())
  let credentials = await provide().catch((error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`REDIS_IAM needs credentials of AWS, and there are none (${reason}): give this process a role.`)
  })
  return {
    url: () => {
      renew().catch(() => undefined)
      const url = new URL(address)
      url.username = iam.user
      url.password = encodeURIComponent(signToken(iam, credentials, now()))
      return url.href.replace(/\/+$/, '')
    },
    refused: renew
  }
}
