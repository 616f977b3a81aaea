import type { ScalePlan } from './scale-plan.ts'

/** Settings per scale that override an image's own; each array has one entry per scale. */
export interface ImageSchedule {
  /** Guidance strength at that scale itself, without the ramp. */
  cfg?: readonly number[]
  topK?: readonly number[]
  topP?: readonly number[]
  label?: readonly (number | null)[]
}

/** One image of a batch. */
export interface ImageRequest {
  /** uint32 */
  seed: number
  /** Class index, or null for unconditional. */
  label: number | null
  /** Guidance strength at the last scale, rising linearly from 0 at the first. */
  cfg: number
  /** 0 = off */
  topK: number
  /** 1 = off */
  topP: number
  /** Gumbel blending of codes. */
  smooth: boolean
  schedule: ImageSchedule | null
  /** Scale after which the image is decoded as it is; the last one unless said. */
  stopAtScale?: number
  /** The first `scales` scales are drawn with this seed, the rest with the image's own. */
  keep?: { seed: number; scales: number }
  /** Scales after which the state so far is decoded; none unless said. The last scale makes the picture itself. */
  previews?: readonly number[]
}

/** Seed of the random numbers of a scale. */
export const seedAt = ({ seed, keep }: ImageRequest, scale: number): number =>
  keep !== undefined && scale < keep.scales ? keep.seed : seed

export const labelAt = ({ label, schedule }: ImageRequest, scale: number): number | null =>
  schedule?.label === undefined ? label : (schedule.label[scale] ?? null)

/** Guidance strength t at a scale. */
export const strengthAt = ({ cfg, schedule }: ImageRequest, scale: number, { guidanceShare }: ScalePlan): number =>
  schedule?.cfg?.[scale] ?? cfg * guidanceShare

export const topKAt = ({ topK, schedule }: ImageRequest, scale: number): number => schedule?.topK?.[scale] ?? topK

export const topPAt = ({ topP, schedule }: ImageRequest, scale: number): number => schedule?.topP?.[scale] ?? topP

/**
 * Whether an image needs an unconditional branch. Without a class at any scale both branches are the same, and guidance
 * between them changes nothing. One class is enough: later scales attend to what it left behind.
 */
export const isGuided = (request: ImageRequest, plans: readonly ScalePlan[]): boolean =>
  plans.some((plan, scale) => strengthAt(request, scale, plan) > 0) && plans.some((_, scale) => labelAt(request, scale) !== null)
