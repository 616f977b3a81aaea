import type { Priority } from '@nextscale/openapi'
import type { QueueLook } from '../pools/look.ts'
import { createInstruments, type Instruments } from './registry.ts'

export interface Metrics {
  request(operation: string, status: number, seconds: number): void
  accepted(generation: { pool: string; model: string; priority: Priority }): void
  /** Counts a request that is held open. Returns what to call when it has ended. */
  countOpen(kind: 'wait' | 'stream'): () => void
  /** The text that Prometheus reads. */
  render(): Promise<string>
  close(): void
}

const setQueues = ({ queue, nextWait, redisUp }: Instruments, looks: ReadonlyMap<string, QueueLook> | undefined): void => {
  redisUp.set(looks ? 1 : 0)
  queue.reset()
  nextWait.reset()
  for (const [pool, look] of looks ?? []) {
    for (const state of ['waiting', 'running', 'delayed'] as const) queue.set({ pool, state }, look[state])
    nextWait.set({ pool }, (look.nextWaitMs ?? 0) / 1000)
  }
}

/** Metrics of this process and of the queues of pools. While Redis is away those of the queues are left out. */
export const createMetrics = (look: () => Promise<ReadonlyMap<string, QueueLook>>): Metrics => {
  const instruments = createInstruments()
  return {
    request: (operation, status, seconds) => instruments.requests.observe({ operation, status }, seconds),
    accepted: (generation) => instruments.accepted.inc(generation),
    countOpen: (kind) => {
      instruments.held.inc({ kind })
      return () => instruments.held.dec({ kind })
    },
    render: async () => {
      setQueues(instruments, await look().catch(() => undefined))
      return instruments.registry.metrics()
    },
    close: () => instruments.stop()
  }
}
