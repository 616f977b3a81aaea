import type { WebhookAttempt, WebhookEvent } from '@nextscale/openapi'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15]

export interface DeliveryMetrics {
  /** `unknown`: which end it would have told of. */
  attempted(attempt: WebhookAttempt, event: WebhookEvent['type'] | 'unknown'): void
  /** A delivery was sent away, since its host has enough to do. */
  parked(): void
}

/** Instruments of webhook deliveries. `counts` is asked at each scrape. */
export const createDeliveryMetrics = (
  registry: Registry,
  counts: () => { underWay: number; waiting: number }
): DeliveryMetrics => {
  const registers = [registry]
  const attempts = new Counter({
    name: 'nextscale_webhook_attempts_total',
    help: 'Requests to webhook receivers, and deliveries of which nothing was left to tell.',
    labelNames: ['outcome', 'event'],
    registers
  })
  const seconds = new Histogram({
    name: 'nextscale_webhook_attempt_seconds',
    help: 'Time of a request to a webhook receiver.',
    buckets: BUCKETS,
    registers
  })
  const parked = new Counter({
    name: 'nextscale_webhook_parked_total',
    help: 'Times a delivery was put back because its host had enough under way.',
    registers
  })
  new Gauge({
    name: 'nextscale_webhook_requests',
    help: 'Deliveries this process holds: with a request under way, or waiting for a place at their host.',
    labelNames: ['state'],
    registers,
    collect() {
      const { underWay, waiting } = counts()
      this.set({ state: 'under_way' }, underWay)
      this.set({ state: 'waiting' }, waiting)
    }
  })
  return {
    attempted: ({ outcome, latency_ms: latencyMs }, event) => {
      attempts.inc({ outcome, event })
      if (outcome !== 'gone') seconds.observe(latencyMs / 1000)
    },
    parked: () => parked.inc()
  }
}
