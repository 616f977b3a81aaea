export { addProcessMetrics } from './process-metrics.ts'
export { serveMetrics } from './serve-metrics.ts'
export { createReadiness, type Readiness, redisAnswers } from './readiness.ts'
