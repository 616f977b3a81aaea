import type { Measured } from './measure.ts'
import type { Round } from './replies.ts'

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [upper = Number.NaN, lower = Number.NaN] = [sorted[middle], sorted[middle - 1]]
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2
}

const transformerMs = ({ scale_ms: scales }: Round): number => scales.reduce((sum, ms) => sum + ms, 0)

/** Milliseconds of one contestant's batches: medians, and the least total. */
export const summarise = ({ rounds }: Measured) => ({
  scaleMs: (rounds[0]?.scale_ms ?? []).map((_, scale) => median(rounds.map(({ scale_ms: ms }) => ms[scale] ?? Number.NaN))),
  transformerMs: median(rounds.map(transformerMs)),
  decodeMs: median(rounds.map(({ decode_ms: ms }) => ms)),
  totalMs: median(rounds.map(({ total_ms: ms }) => ms)),
  leastMs: Math.min(...rounds.map(({ total_ms: ms }) => ms))
})
