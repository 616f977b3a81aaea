import { setTimeout } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds since any fixed moment. */
  now(): number
  /** Resolves after that many milliseconds, or as soon as the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => undefined)
}

/** The time after a batch in which the next one gathers. It begins closed. */
export interface BatchWindow {
  /** A batch has ended. */
  open(): void
  /** Resolves once the window has closed, or as soon as `isReady` says that there is nothing left to wait for. */
  closed(isReady: () => boolean): Promise<void>
  /** Something changed: has `isReady` asked again. */
  look(): void
}

export const createBatchWindow = (windowMs: number, clock: Clock): BatchWindow => {
  let closesAt = Number.NEGATIVE_INFINITY
  let look = () => {}
  return {
    open: () => {
      closesAt = clock.now() + windowMs
    },
    closed: async (isReady) => {
      const remainingMs = closesAt - clock.now()
      if (remainingMs <= 0 || isReady()) return
      const ready = new AbortController()
      look = () => isReady() && ready.abort()
      await clock.wait(remainingMs, ready.signal)
      look = () => {}
    },
    look: () => look()
  }
}
