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
  const ofPool = (name: string, help: string) => new Gauge({ name, help, labelNames: ['pool'], registers })
  const redisUp = gauge('nextscale_redis_up', 'Whether Redis answered when the backlog was last measured.')
  const generations = ofPool(
    'nextscale_backlog_generations',
    'Generations of a pool there is work for: those that wait, run, or are due for another attempt.'
  )
  const oldestWait = ofPool('nextscale_backlog_oldest_wait_seconds', 'How long the next generation of a pool to run has waited.')
  const runners = ofPool('nextscale_runners', 'Runners of a pool heard of in the last half minute.')
  const deliveries = gauge('nextscale_webhook_backlog', 'Webhook deliveries that are due or under way.')
  const ofPools = [generations, oldestWait, runners]
  const set: ControlMetrics['set'] = (backlog) => {
    redisUp.set(backlog ? 1 : 0)
    // One that is there no more must not be shown as it was.
    for (const each of ofPools) each.reset()
    if (!backlog) return deliveries.remove()
    for (const [pool, each] of backlog.pools) {
      generations.set({ pool }, each.generations)
      oldestWait.set({ pool }, each.oldestWaitMs / 1000)
      runners.set({ pool }, each.runners)
    }
    deliveries.set(backlog.deliveries)
  }
  // Nothing is measured yet.
  set(undefined)
  return { registry, set, close }
}
