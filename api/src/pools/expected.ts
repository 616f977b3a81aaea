import type { RunnerCard } from '@nextscale/openapi'
import { poolOf, type Ref, serves } from './serving.ts'

/** Of runners that have measured nothing yet, where nobody has. */
const UNMEASURED_MS = 1000

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length

/** Time from one picture to the next on a runner, in ms, and from first scale to stored pictures, as measured of the model lately. */
const speedOf = ({ models }: RunnerCard, { model }: Ref) => {
  const found = models.find(({ id }) => id === model)
  return { imageMs: found?.image_ms ?? undefined, latencyMs: found?.latency_ms ?? undefined }
}

/**
 * When a pool is expected to be done with a generation that comes now, in ms: ahead / sum(1 / image_ms) + mean(latency_ms) of its
 * runners that serve the model. A runner that has measured nothing is taken to be as fast as the mean of those that have, here or
 * elsewhere. Each generation ahead counts as one picture of this model. `cards` are of runners that live.
 */
export const expectedMs = (cards: readonly RunnerCard[], pool: string, ref: Ref, ahead: number): number => {
  const serving = cards.filter((card) => serves(card, ref))
  const own = serving.filter((card) => poolOf(card) === pool).map((card) => speedOf(card, ref))
  const all = serving.map((card) => speedOf(card, ref))
  const imageMs =
    mean(own.flatMap((speed) => speed.imageMs ?? [])) ?? mean(all.flatMap((speed) => speed.imageMs ?? [])) ?? UNMEASURED_MS
  const latencyMs =
    mean(own.flatMap((speed) => speed.latencyMs ?? [])) ?? mean(all.flatMap((speed) => speed.latencyMs ?? [])) ?? imageMs
  const imagesPerMs = own.reduce((sum, speed) => sum + 1 / Math.max(speed.imageMs ?? imageMs, Number.MIN_VALUE), 0)
  return ahead / imagesPerMs + latencyMs
}
