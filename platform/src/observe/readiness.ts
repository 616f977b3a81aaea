import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

/** Below what probes usually wait. */
const TIMEOUT_MS = 800

/** What a process lacks for its work: a sentence, or nothing. */
export type Lack = () => string | undefined | Promise<string | undefined>

/** Whether a process can do its work at present, for the probes of whoever runs it. */
export interface Readiness {
  /** The first thing that is lacking; undefined when the process is ready. */
  lack: () => Promise<string | undefined>
  /** From now on this is what it lacks, asked anew for each probe; an earlier one counts no longer. */
  needs: (...lacks: readonly Lack[]) => void
  /** It is being stopped, whatever else it lacks. */
  stop: () => void
}

export const createReadiness = (first: string): Readiness => {
  let isStopping = false
  let needed: readonly Lack[] = [() => first]
  return {
    lack: async () => {
      if (isStopping) return 'This process is stopping.'
      for (const lack of needed) {
        const said = await lack()
        if (said !== undefined) return said
      }
      return undefined
    },
    needs: (...lacks) => void (needed = lacks),
    stop: () => void (isStopping = true)
  }
}

/** That Redis answers on a connection. Of a silent one a single question is left waiting, however often it is asked. */
export const redisAnswers = (redis: Redis): Lack => {
  let asked: Promise<boolean> | undefined
  const ask = () =>
    redis
      .ping()
      .then(
        () => true,
        () => false
      )
      .finally(() => (asked = undefined))
  return async () => {
    if (redis.status !== 'ready') return 'Redis cannot be reached.'
    asked ??= ask()
    const late = new AbortController()
    const answers = await Promise.race([asked, sleep(TIMEOUT_MS, false, { signal: late.signal }).catch(() => false)])
    late.abort()
    return answers ? undefined : 'Redis does not answer.'
  }
}
