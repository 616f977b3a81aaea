import { Gauge, Registry } from 'prom-client'
import type { Backlog } from './backlog.ts'

export interface ControlMetrics {
  readonly registry: Registry
  set(backlog: Backlog): void
}

/** Instruments of the backlog, in a registry of this process's own. */
export const createControlMetrics = (): ControlMetrics => {
  const registry = new Registry()
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
  const generations = gauge(
    'nextscale_backlog_generations',
    'Generations there is work for: those that wait, run, or are due for another attempt.'
  )
  const oldestWait = gauge('nextscale_backlog_oldest_wait_seconds', 'How long the next generation to run has waited.')
  const runners = gauge('nextscale_runners', 'Runners heard of in the last half minute.')
  const deliveries = gauge('nextscale_webhook_backlog', 'Webhook deliveries that are due or under way.')
  return {
    registry,
    set: (backlog) => {
      generations.set(backlog.generations)
      oldestWait.set(backlog.oldestWaitMs / 1000)
      runners.set(backlog.runners)
      deliveries.set(backlog.deliveries)
    }
  }
}
