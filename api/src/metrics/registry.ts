import { addProcessMetrics } from '@nextscale/platform/metrics'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds; long polls and streams reach into the upper ones. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The instruments, in a registry of this server's own. */
export const createInstruments = () => {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    stop: addProcessMetrics(registry),
    requests: new Histogram({
      name: 'nextscale_http_request_duration_seconds',
      help: 'Time from request to answer.',
      labelNames: ['operation', 'status'],
      buckets: BUCKETS,
      registers
    }),
    accepted: new Counter({
      name: 'nextscale_generations_accepted_total',
      help: 'Generations put into the queue.',
      labelNames: ['pool', 'model', 'priority'],
      registers
    }),
    held: new Gauge({
      name: 'nextscale_http_held_requests',
      help: 'Long polls and streams that are open.',
      labelNames: ['kind'],
      registers
    }),
    queue: new Gauge({
      name: 'nextscale_queue_generations',
      help: 'Unfinished generations of a pool.',
      labelNames: ['pool', 'state'],
      registers
    }),
    nextWait: new Gauge({
      name: 'nextscale_queue_next_wait_seconds',
      help: 'How long the next generation of a pool to run has waited; 0 when none does.',
      labelNames: ['pool'],
      registers
    }),
    redisUp: new Gauge({ name: 'nextscale_redis_up', help: 'Whether Redis answered this scrape.', registers })
  }
}
export type Instruments = ReturnType<typeof createInstruments>
