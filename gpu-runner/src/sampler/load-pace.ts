const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000

interface Failure {
  error: unknown
  times: number
  /** Until then it is not tried again. */
  until: number
}

/** How often models are loaded. */
export interface LoadPace {
  /**
   * Whether a model may be loaded although one in memory has work. Not before as much time has passed as the last load took: so at most
   * half of the time goes into loading, and who waits for a model waits for no more than one such turn of each that is before it.
   */
  mayLoad(): boolean
  /** Why a model could not be loaded a moment ago; undefined where it may be tried. */
  failureOf(model: string): unknown
  /** Measures a load. */
  timed<T>(model: string, load: () => Promise<T>): Promise<T>
}

export const createLoadPace = (now: () => number = () => performance.now()): LoadPace => {
  let nextAt = Number.NEGATIVE_INFINITY
  const failures = new Map<string, Failure>()
  const fail = (model: string, error: unknown, tookMs: number) => {
    const times = (failures.get(model)?.times ?? 0) + 1
    const pauseMs = Math.max(tookMs, Math.min(FIRST_PAUSE_MS * 2 ** (times - 1), MAX_PAUSE_MS))
    failures.set(model, { error, times, until: now() + pauseMs })
  }
  return {
    mayLoad: () => now() >= nextAt,
    failureOf: (model) => {
      const failure = failures.get(model)
      return failure && now() < failure.until ? failure.error : undefined
    },
    timed: async (model, load) => {
      const begun = now()
      try {
        const loaded = await load()
        failures.delete(model)
        return loaded
      } catch (error) {
        fail(model, error, now() - begun)
        throw error
      } finally {
        nextAt = now() + (now() - begun)
      }
    }
  }
}
