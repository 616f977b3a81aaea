import type { RunnerCard } from '@nextscale/openapi'
import type { QueueDepth } from '../pools/depth.ts'
import { poolOf, type Ref, serves } from '../pools/serving.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'
import type { JobSnapshot } from './snapshot.ts'
import type { Found } from './find.ts'

const MAX_RETRY_AFTER_SECONDS = 30

const measured = (cards: readonly RunnerCard[], pool: string, model: string) =>
  cards.flatMap((card) => {
    const { models } = card
    if (poolOf(card) !== pool) return []
    const found = models.find(({ id }) => id === model)
    return found === undefined || found.image_ms === null
      ? []
      : [{ imageMs: found.image_ms, latencyMs: found.latency_ms ?? found.image_ms }]
  })

type Measured = ReturnType<typeof measured>

/** Mean time of one generation from its first scale to stored pictures, in ms. */
const latencyMs = (runners: Measured) => runners.reduce((sum, runner) => sum + runner.latencyMs, 0) / runners.length

/**
 * Time to completion in ms: ahead / sum(1 / image_ms) + mean(latency_ms), over the runners of the pool that serve the
 * model and have measured it. Each generation ahead counts as one picture. `null` when nothing is measured or the place is unknown.
 */
export const estimateMs = (
  cards: readonly RunnerCard[],
  { pool, model }: { pool: string; model: string },
  ahead: number | null
): number | null => {
  const runners = measured(cards, pool, model)
  if (runners.length === 0 || ahead === null) return null
  const imagesPerMs = runners.reduce((sum, { imageMs }) => sum + 1 / Math.max(imageMs, Number.MIN_VALUE), 0)
  return Math.round(ahead / imagesPerMs + latencyMs(runners))
}

/** One that waits, as far as it matters when it is done. */
export type Waiting = Pick<JobSnapshot, 'pool' | 'payload' | 'ahead'>

/** How long queues are, which stands for the place of one just added, itself not counted. */
type Depth = Pick<QueueDepth, 'waitingIn'>

const waitMs = (runners: RunnerRegistry, { pool, payload: { input }, ahead }: Waiting, depth?: Depth): number | null =>
  estimateMs(runners.lastCards(), { pool, model: input.model }, ahead ?? (depth ? Math.max(0, depth.waitingIn(pool) - 1) : null))

/** What is ahead of generations that wait. */
export interface Outlook {
  /** Estimated time to completion, in ms; null when unknown. */
  etaMs(waiting: Waiting): number | null
  /** Whether a runner that is up serves a model; undefined when nobody has looked yet. */
  isServed(ref: Ref): boolean | undefined
}

export const createOutlook = (runners: RunnerRegistry, depth?: Depth): Outlook => ({
  etaMs: (waiting) => waitMs(runners, waiting, depth),
  isServed: (ref) => {
    const cards = runners.lastCards()
    return runners.hasLooked() ? cards.some((card) => serves(card, ref)) : undefined
  }
})

/** Of a running one: the share of its scales that is left, times the mean latency, in ms. */
const remainingMs = (cards: readonly RunnerCard[], { pool, payload, progress }: JobSnapshot): number | null => {
  const runners = measured(cards, pool, payload.input.model)
  const done = progress?.progress
  if (runners.length === 0 || !done) return null
  return latencyMs(runners) * Math.max(0, 1 - done.scale / done.scales)
}

const clamp = (seconds: number) => Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, seconds))

/** `Retry-After` in seconds: half of the time that is left, from 1 to 30; 1 when that is unknown. */
export const retryAfterSeconds = (runners: RunnerRegistry, { snapshot, standing }: Found, depth?: Depth): number => {
  if (snapshot.kind !== 'job') return 1
  const leftMs = standing.status === 'queued' ? waitMs(runners, snapshot, depth) : remainingMs(runners.lastCards(), snapshot)
  return leftMs === null ? 1 : clamp(Math.ceil(leftMs / 2000))
}
