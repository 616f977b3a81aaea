import { setTimeout as sleep } from 'node:timers/promises'

export interface RepeatOptions {
  everyMs: number
  work: () => Promise<void>
  /** Ends it, once what is under way has ended. */
  signal: AbortSignal
  /** Told of what failed; the next time tries again. */
  onError: (error: unknown) => void
}

/** Does something now and then, never twice at once. Resolves once that has ended. */
export const repeat = async ({ everyMs, work, signal, onError }: RepeatOptions): Promise<void> => {
  while (!signal.aborted) {
    await work().catch((error: unknown) => signal.aborted || onError(error))
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}
