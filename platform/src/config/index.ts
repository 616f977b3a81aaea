export { readSecret } from './read-secret.ts'
export {
  ConfigError,
  type Environment,
  readChoice,
  readInteger,
  readList,
  readPattern,
  readSize,
  readString,
  readUrl,
  WRONG_SETTING
} from './readers.ts'
export {
  type DiskStoreConfig,
  type LogConfig,
  type MetricsAddress,
  type ObjectStoreConfig,
  readLog,
  readMetricsAddress,
  readObjectStore,
  readRecovery,
  readRedis,
  readRedisPrefix,
  readS3Access,
  readTracing,
  type RecoveryConfig,
  type RedisConfig,
  type S3Access,
  type S3StoreConfig,
  type TracingConfig
} from './shared.ts'
export {
  credentialsOfRedisUrl,
  type HostAndPort,
  hostsOfRedisUrl,
  isTlsUrl,
  type SeveralRedis,
  severalOf,
  withCredentials
} from './redis-url.ts'
export { parseRedisUrl, type RedisAccess, type RedisIam, type RedisRenewal, readRedisUrl } from './redis-access.ts'
