import { addProcessMetrics } from '@nextscale/platform/metrics'
import { Gauge, Registry } from 'prom-client'
import type { Backlog } from './backlog.ts'

export interface ControlMetrics {
  readonly registry: Registry
  /** Undefined while Redis is away: the metrics of the backlog are left out then. */
  set(backlog: Backlog | undefined): void
  close(): void
}

/** Instruments of the backlog, in a registry of this process's own. */
export const createControlMetrics = (): ControlMetrics => {
  const registry = new Registry()
  const registers = [registry]
  const close = addProcessMetrics(registry)
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const redisUp = gauge('nextscale_redis_up', 'Whether Redis answered when the backlog was last measured.')
  const generations = gauge(
    'nextscale_backlog_generations',
    'Generations there is work for: those that wait, run, or are due for another attempt.'
  )
  const oldestWait = gauge('nextscale_backlog_oldest_wait_seconds', 'How long the next generation to run has waited.')
  const runners = gauge('nextscale_runners', 'Runners heard of in the last half minute.')
  const deliveries = gauge('nextscale_webhook_backlog', 'Webhook deliveries that are due or under way.')
  const ofBacklog = [generations, oldestWait, runners, deliveries]
  const set: ControlMetrics['set'] = (backlog) => {
    redisUp.set(backlog ? 1 : 0)
    if (!backlog) return ofBacklog.forEach((each) => each.remove())
    generations.set(backlog.generations)
    oldestWait.set(backlog.oldestWaitMs / 1000)
    runners.set(backlog.runners)
    deliveries.set(backlog.deliveries)
  }
  // Nothing is measured yet.
  set(undefined)
  return { registry, set, close }
}
