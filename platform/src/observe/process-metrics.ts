import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const LAG_RESOLUTION_MS = 10
const NANOSECONDS = 1e9

/** Memory, processor time and start of this process. */
const addProcess = (registers: Registry[]): void => {
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
const addLag = (registers: Registry[]): (() => void) => {
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

/** What every process tells of itself. Returns the way to stop measuring. */
export const addProcessMetrics = (registry: Registry): (() => void) => {
  addProcess([registry])
  return addLag([registry])
}
