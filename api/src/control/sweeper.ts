import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Services } from '../services.ts'
import { createLapsedSweep } from './sweep-lapsed.ts'
import { createUnreleasedSweep } from './sweep-unreleased.ts'
import { sweepExpired } from './sweep.ts'

export interface Sweeper {
  /** Resolves once a pass that is under way has ended. */
  stop(): Promise<void>
}

/** Sweeps now and then; what fails is logged and tried again with the next pass. */
export const startSweeper = (services: Services, log: FastifyBaseLogger): Sweeper => {
  const stopping = new AbortController()
  const { signal } = stopping
  const onError = (id: string, error: unknown) =>
    log.warn({ err: error, generation: id }, 'What an expired generation left could not be removed; it is tried again')
  const sweepLapsed = createLapsedSweep({ ...services, signal })
  const sweepUnreleased = createUnreleasedSweep({ ...services, signal })
  const passes = [
    () => sweepExpired({ ...services, signal, againMs: services.config.sweepIntervalMs, onError }),
    sweepLapsed,
    sweepUnreleased
  ]

  const run = async () => {
    for (;;) {
      await sleep(services.config.sweepIntervalMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      for (const pass of passes) {
        await pass().catch((error: unknown) => log.warn({ err: error }, 'A sweep was not finished; the next goes on'))
      }
    }
  }

  const running = run()
  return {
    stop: () => {
      stopping.abort()
      return running
    }
  }
}
