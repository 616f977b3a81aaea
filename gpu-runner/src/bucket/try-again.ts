import { setTimeout } from 'node:timers/promises'
import { StoreUnavailable } from '@nextscale/platform/object-store'

const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 60_000

export interface Trouble {
  error: StoreUnavailable
  /** Until it is tried again. */
  delayMs: number
}

interface Patience {
  /** Hears of each failure. */
  onTrouble: (trouble: Trouble) => void
  /** How much has been done so far; where it has grown since the last failure, waiting begins anew. */
  progress?: () => number
}

/** Does work that is away now and then, again and again until it is done, ever less often while nothing comes of it. */
export const tryAgain = async <T>(work: () => Promise<T>, { onTrouble, progress = () => 0 }: Patience): Promise<T> => {
  let done = progress()
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      if (progress() > done) delayMs = FIRST_DELAY_MS
      done = progress()
      onTrouble({ error, delayMs })
      await setTimeout(delayMs)
    }
  }
}
