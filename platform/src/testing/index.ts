export { freePort, type RedisServer, startRedis } from './redis-server.ts'
export { assertSettingsBehindTheApi, assertSharedSettings } from './shared-settings.ts'
export { until } from './until.ts'
