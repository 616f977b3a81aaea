export { freePort, type RedisServer, startRedis } from './redis-server.ts'
export { assertSettingsBehindTheApi, assertSharedSettings } from './shared-settings.ts'
export { temporaryFolder } from './temporary-folder.ts'
export { until } from './until.ts'
