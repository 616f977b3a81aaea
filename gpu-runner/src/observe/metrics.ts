import type { LiveWebhookEvent } from '@nextscale/openapi'
import { addProcessMetrics } from '@nextscale/platform/metrics'
import { Counter, Histogram, Registry } from 'prom-client'
import type { Observer } from './observer.ts'
import { phasesOf } from './phases.ts'

const SCALE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const STAGE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const WAIT_BUCKETS = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400]
const SIZE_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

export interface RunnerMetrics extends Observer {
  samplerRestarted(): void
  /** An event on a generation's way is in the queue of webhook deliveries, or was lost. */
  eventAnnounced(event: LiveWebhookEvent, outcome: 'queued' | 'lost'): void
  readonly registry: Registry
  close(): void
}

const createHistograms = (registers: Registry[]) => ({
  scale: new Histogram({
    name: 'nextscale_runner_scale_seconds',
    help: 'Time of one scale of a batch.',
    labelNames: ['model', 'scale'],
    buckets: SCALE_BUCKETS,
    registers
  }),
  batch: new Histogram({
    name: 'nextscale_runner_batch_images',
    help: 'Images sampled together.',
    labelNames: ['model'],
    buckets: SIZE_BUCKETS,
    registers
  }),
  stage: new Histogram({
    name: 'nextscale_runner_stage_seconds',
    help: 'Time of one stage of a generation that succeeded.',
    labelNames: ['model', 'stage'],
    buckets: STAGE_BUCKETS,
    registers
  }),
  queueWait: new Histogram({
    name: 'nextscale_runner_queue_wait_seconds',
    help: 'Time from acceptance to the begin of an attempt.',
    labelNames: ['model'],
    buckets: WAIT_BUCKETS,
    registers
  })
})

const createCounters = (registers: Registry[]) => ({
  attempts: new Counter({
    name: 'nextscale_runner_attempts_total',
    help: 'Attempts by how they ended.',
    labelNames: ['model', 'outcome', 'code'],
    registers
  }),
  images: new Counter({
    name: 'nextscale_runner_images_total',
    help: 'Images stored.',
    labelNames: ['model'],
    registers
  }),
  restarts: new Counter({
    name: 'nextscale_runner_sampler_restarts_total',
    help: 'Sampler processes that were replaced.',
    registers
  }),
  events: new Counter({
    name: 'nextscale_runner_webhook_events_total',
    help: 'Webhook events on the way to the end by what became of them.',
    labelNames: ['event', 'outcome'],
    registers
  })
})

/** Metrics of this runner. */
export const createMetrics = (pool: string): RunnerMetrics => {
  const registry = new Registry()
  registry.setDefaultLabels({ pool })
  const instruments = { ...createHistograms([registry]), ...createCounters([registry]) }
  const close = addProcessMetrics(registry)
  return {
    batch: ({ model, images, scaleMs }) => {
      instruments.batch.observe({ model }, images)
      scaleMs.forEach((ms, scale) => instruments.scale.observe({ model, scale }, ms / 1_000))
    },
    attempt: (record) => {
      const { outcome, code, images } = record
      const model = record.model ?? 'none'
      instruments.attempts.inc({ model, outcome, code: code ?? '' })
      instruments.queueWait.observe({ model }, Math.max(0, record.begunAt - record.queuedAt) / 1_000)
      if (outcome !== 'succeeded') return
      instruments.images.inc({ model }, images)
      for (const { name: stage, from, to } of phasesOf(record)) instruments.stage.observe({ model, stage }, (to - from) / 1_000)
    },
    samplerRestarted: () => instruments.restarts.inc(),
    eventAnnounced: (event, outcome) => instruments.events.inc({ event, outcome }),
    registry,
    close
  }
}
