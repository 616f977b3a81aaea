import { ConfigError, parseRedisUrl, type RedisRenewal, withCredentials } from '../config/index.ts'
import { getSecret } from '../secrets-manager.ts'

/** How often the secret is asked for at most, however many connections are refused. */
const PAUSE_MS = 5_000

const asObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** The URL that a secret says: as text, as `url` of a JSON object, or as `password` and perhaps `username` for the URL that is known. */
const urlOf = (text: string, known: string): string => {
  const object = asObject(text)
  if (object === undefined) return parseRedisUrl('The secret of REDIS_SECRET_ARN', text.trim())
  const { url, username, password } = object
  if (typeof url === 'string') return parseRedisUrl('"url" in the secret of REDIS_SECRET_ARN', url.trim())
  if (typeof password !== 'string' || password === '')
    throw new ConfigError(
      'The secret of REDIS_SECRET_ARN must be a URL of Redis, or a JSON object with "url", or with "password".'
    )
  return withCredentials(known, { username: typeof username === 'string' ? username : undefined, password })
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.name : String(error))

const readSecret = async (arn: string): Promise<string> => {
  const text = await getSecret(arn).catch((error: unknown): never => {
    const mend = 'let this process call secretsmanager:GetSecretValue on it, and reach Secrets Manager.'
    throw new ConfigError(`REDIS_SECRET_ARN=${arn} cannot be read (${reasonOf(error)}): ${mend}`)
  })
  if (text !== undefined) return text
  throw new ConfigError(`REDIS_SECRET_ARN=${arn} has no text: give the secret a SecretString.`)
}

/**
 * The URL of Redis by a secret of AWS Secrets Manager, read now and again whenever Redis refuses it.
 * @throws ConfigError when it cannot be read, or says no URL.
 */
export const renewalBySecret = async (arn: string, known: string): Promise<RedisRenewal> => {
  let url = urlOf(await readSecret(arn), known)
  let reading: Promise<void> | undefined
  let readAt = performance.now()
  const read = async () => {
    readAt = performance.now()
    url = urlOf(await readSecret(arn), known)
  }
  return {
    url: () => url,
    refused: () => {
      if (performance.now() - readAt < PAUSE_MS) return reading ?? Promise.resolve()
      reading ??= read().finally(() => (reading = undefined))
      return reading
    }
  }
}
