import type { Priority } from '@nextscale/openapi'
import type { QueueLook } from '../generations/queue-look.ts'
import { createInstruments, type Instruments } from './registry.ts'

export interface Metrics {
  request(operation: string, status: number, seconds: number): void
  accepted(model: string, priority: Priority): void
  /** Counts a request that is held open. Returns what to call when it has ended. */
  hold(kind: 'wait' | 'stream'): () => void
  /** The text that Prometheus reads. */
  render(): Promise<string>
  close(): void
}

const setQueue = ({ queue, nextWait, redisUp }: Instruments, look: QueueLook | undefined): void => {
  redisUp.set(look ? 1 : 0)
  queue.reset()
  nextWait.remove()
  if (!look) return
  for (const state of ['waiting', 'running', 'delayed'] as const) queue.set({ state }, look[state])
  nextWait.set((look.nextWaitMs ?? 0) / 1000)
}

/** Metrics of this process and of the queue. While Redis is away those of the queue are left out. */
export const createMetrics = (look: () => Promise<QueueLook>): Metrics => {
  const instruments = createInstruments()
  return {
    request: (operation, status, seconds) => instruments.requests.observe({ operation, status }, seconds),
    accepted: (model, priority) => instruments.accepted.inc({ model, priority }),
    hold: (kind) => {
      instruments.held.inc({ kind })
      return () => instruments.held.dec({ kind })
    },
    render: async () => {
      setQueue(instruments, await look().catch(() => undefined))
      return instruments.registry.metrics()
    },
    close: () => instruments.stop()
  }
}
