import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const LAG_RESOLUTION_MS = 10
/** Seconds; long polls and streams reach into the upper ones. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const NANOSECONDS = 1e9

/** Memory, processor time and start of this process. */
export const addProcess = (registers: Registry[]): void => {
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    }
  })
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    }
  })
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Unix time of the start.',
    registers
  }).set(performance.timeOrigin / 1000)
}

/** Lag of the event loop since the last scrape. Returns the way to stop measuring. */
export const addLag = (registers: Registry[]): (() => void) => {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  new Gauge({
    name: 'nextscale_event_loop_lag_seconds',
    help: 'Lag of the event loop since the last scrape.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const percentile of [50, 99])
        this.set(
          { quantile: String(percentile / 100) },
          Math.max(0, lag.percentile(percentile) / NANOSECONDS - LAG_RESOLUTION_MS / 1000)
        )
      lag.reset()
    }
  })
  return () => void lag.disable()
}

/** The instruments, in a registry of this server's own. */
export const createInstruments = () => {
  const registry = new Registry()
  const registers = [registry]
  addProcess(registers)
  return {
    registry,
    stop: addLag(registers),
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
      labelNames: ['model', 'priority'],
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
      help: 'Unfinished generations.',
      labelNames: ['state'],
      registers
    }),
    nextWait: new Gauge({
      name: 'nextscale_queue_next_wait_seconds',
      help: 'How long the next generation to run has waited; 0 when none does.',
      registers
    }),
    redisUp: new Gauge({ name: 'nextscale_redis_up', help: 'Whether Redis answered this scrape.', registers })
  }
}
export type Instruments = ReturnType<typeof createInstruments>
