import { STAGES, type Stage } from '@nextscale/openapi'
import type { Found } from './find.ts'
import { presentProgress } from './present-progress.ts'
import { isTerminal } from './settle.ts'
import { payloadOf } from './snapshot.ts'

/**
 * A place in the order of a generation's events. The order follows from its state alone: each part only grows while the
 * generation goes on, whatever is retried or handed back, and an event is due for as long as its part is behind the state.
 */
export interface Position {
  /** Run, then running < canceling < waiting again, then stage; a terminal status is beyond all. */
  phase: number
  /** Run, then tokens drawn in it. */
  progress: number
  /** Previews sent, a bit for each that is asked for: a later run makes the same ones again. */
  previews: bigint
  /** Outputs sent. */
  outputs: number
  ended: boolean
}

const PHASES_PER_RUN = 32
const STAGE_SPAN = 8
export const TERMINAL = 2 ** 40
/** More than any generation has. */
const TOKENS_PER_RUN = 2 ** 27

const KINDS = { running: 0, canceling: 1, queued: 2 } as const

const stageRank = (stage: Stage | undefined) => (stage === undefined ? 0 : 1 + STAGES.indexOf(stage))

const phaseOf = ({ snapshot, standing }: Found): number => {
  if (isTerminal(standing)) return TERMINAL
  const runs = snapshot.kind === 'job' ? snapshot.runs : 0
  const reported = presentProgress(snapshot)?.stage
  const stage = standing.status === 'queued' && reported !== 'waiting_for_model' ? 0 : stageRank(reported)
  return runs * PHASES_PER_RUN + KINDS[standing.status] * STAGE_SPAN + stage
}

/** Bit of a preview among those the request asks for; none for one it does not. */
export const previewBit = (
  asked: readonly number[],
  images: number,
  { index, scale }: { index: number; scale: number }
): bigint => {
  const place = asked.indexOf(scale)
  return place < 0 ? 0n : 1n << BigInt(place * images + index)
}

/** Where a reader is who has been told all of a state but `end`. */
export const positionOf = (found: Found): Position => {
  const { snapshot, standing } = found
  const progress = presentProgress(snapshot)
  const runs = snapshot.kind === 'job' ? snapshot.runs : 0
  const { previews: asked = [], num_images: images } = payloadOf(snapshot).input
  return {
    phase: phaseOf(found),
    progress: progress?.progress && standing.status !== 'queued' ? runs * TOKENS_PER_RUN + progress.progress.tokens : 0,
    previews: (progress?.previews ?? []).reduce((bits, preview) => bits | previewBit(asked, images, preview), 0n),
    outputs: standing.status === 'succeeded' ? standing.outputs.length : 0,
    ended: false
  }
}

const TAG_LENGTH = 8
const tagOf = (id: string) => id.slice(-TAG_LENGTH)

const toText = (bits: bigint): string => {
  const hex = bits.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
}
const toBits = (text: string): bigint => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)

/** The position as an event's id; it names its generation. */
export const formatPosition = (id: string, { phase, progress, previews, outputs, ended }: Position): string =>
  [tagOf(id), phase.toString(36), progress.toString(36), toText(previews), outputs.toString(36), ended ? 'e' : 'o'].join('.')

const POSITION = /^([a-z2-7]{8})\.([0-9a-z]{1,9})\.([0-9a-z]{1,10})\.([A-Za-z0-9_-]{2,172})\.([0-9a-z]{1,2})\.([eo])$/

/** Reads the id of an event of this generation; anything else is undefined. */
export const parsePosition = (id: string, text: string | undefined): Position | undefined => {
  const [, tag, phase, progress, previews, outputs, end] = POSITION.exec(text ?? '') ?? []
  if (tag !== tagOf(id) || phase === undefined || progress === undefined || previews === undefined || outputs === undefined)
    return undefined
  return {
    phase: Number.parseInt(phase, 36),
    progress: Number.parseInt(progress, 36),
    previews: toBits(previews),
    outputs: Number.parseInt(outputs, 36),
    ended: end === 'e'
  }
}
