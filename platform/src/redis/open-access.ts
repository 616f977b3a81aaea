import type { RedisConfig } from '../config/index.ts'

/**
 * Settings whose URL of Redis is the one to connect with: where it is in AWS Secrets Manager, or its password is signed, that is not known
 * from the environment. Libraries of AWS are loaded only where they are needed.
 * @throws ConfigError when a secret cannot be read, or is none for Redis.
 */
export const openRedisAccess = async <T extends RedisConfig>(config: T): Promise<T> => {
  const { redisSecretArn: arn, redisIam: iam } = config
  if (arn !== undefined) {
    const { renewalBySecret } = await import('./renewal-by-secret.ts')
    const redisRenewal = await renewalBySecret(arn, config.redisUrl)
    return { ...config, redisUrl: redisRenewal.url(), redisRenewal }
  }
  if (iam !== undefined) {
    const { renewalByIam } = await import('./renewal-by-iam.ts')
    const redisRenewal = await renewalByIam(iam, config.redisUrl)
    return { ...config, redisUrl: redisRenewal.url(), redisRenewal }
  }
  return config
}
