import type { JobEvents } from '../redis/job-events.ts'
import type { Found } from './find.ts'
import { isTerminal } from './settle.ts'

/** Events are hints that may be missed, so a waiter looks for itself this often. */
const REREAD_MS = 1000

interface WaitOptions {
  id: string
  read: () => Promise<Found>
  events: JobEvents
  timeoutMs: number
  /** What ends the wait beside a terminal status. */
  isEnough?: (found: Found) => boolean
  /** Ends the wait early: the client is gone, or the server is closing. */
  signal: AbortSignal
}

/** Reads a generation until it is terminal or the time is up, and returns it as it is then. */
export const waitUntilTerminal = async (options: WaitOptions): Promise<Found> => {
  const { id, read, events, timeoutMs, isEnough, signal } = options
  const isDone = (found: Found) => isTerminal(found.standing) || isEnough?.(found) === true
  const deadline = performance.now() + timeoutMs
  const first = await read()
  if (isDone(first) || timeoutMs <= 0) return first
  const watch = events.watch(id)
  try {
    for (;;) {
      // Read after the watch began: what finished before it shows here, what finishes later wakes it.
      const found = await read()
      const remainingMs = deadline - performance.now()
      if (isDone(found) || remainingMs <= 0 || signal.aborted) return found
      await watch.next(Math.min(REREAD_MS, remainingMs), signal)
    }
  } finally {
    watch.stop()
  }
}
