import type { RunnerCard } from '@nextscale/openapi'
import type { Observer } from './observer.ts'

/** Share of the newest value in the mean: about the last ten values count. */
const NEWEST_SHARE = 0.2

export interface Speed extends Observer {
  /** What was measured of a model lately; null before the first time. */
  of(model: string): Omit<RunnerCard['models'][number], 'id'>
}

const createMeans = () => {
  const means = new Map<string, number>()
  return {
    add: (model: string, value: number) => {
      const mean = means.get(model) ?? value
      means.set(model, mean + NEWEST_SHARE * (value - mean))
    },
    of: (model: string) => means.get(model) ?? null
  }
}

/** Measures how fast models are: exponential means over recent batches and generations. */
export const createSpeed = (): Speed => {
  const imageMs = createMeans()
  const latencyMs = createMeans()
  return {
    batch: ({ model, images, elapsedMs }) => imageMs.add(model, elapsedMs / images),
    attempt: ({ model, outcome, stages, endedAt }) => {
      const first = stages.find(({ stage }) => stage === 'sampling')
      if (model !== null && outcome === 'succeeded' && first) latencyMs.add(model, endedAt - first.at)
    },
    of: (model) => ({ image_ms: imageMs.of(model), latency_ms: latencyMs.of(model) })
  }
}
