import type { AttemptRecord } from './observer.ts'

/** A part of an attempt. Moments are Unix times in ms. */
export interface Phase {
  name: string
  from: number
  to: number
}

/** What an attempt spent its time on, in order. Decoding is the end of the stage that samples. */
export const phasesOf = ({ begunAt, endedAt, stages, decodeMs }: AttemptRecord): Phase[] => {
  const begins = [{ stage: 'batching', at: begunAt }, ...stages]
  return begins.flatMap(({ stage: name, at: from }, i) => {
    const to = begins[i + 1]?.at ?? endedAt
    if (name !== 'sampling' || decodeMs === null) return [{ name, from, to }]
    const decodingAt = Math.max(from, to - decodeMs)
    return [
      { name, from, to: decodingAt },
      { name: 'decoding', from: decodingAt, to }
    ]
  })
}
