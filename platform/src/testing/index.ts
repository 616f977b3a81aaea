export { freePort, type RedisServer, startRedis } from './redis-server.ts'
export { until } from './until.ts'
