export { addProcessMetrics } from './process-metrics.ts'
export { serveMetrics } from './serve-metrics.ts'
