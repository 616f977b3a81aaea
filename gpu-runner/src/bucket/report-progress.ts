import type { Logger } from 'pino'
import { formatBytes } from '../units.ts'

const INTERVAL_MS = 5_000
const MS_PER_SECOND = 1_000

/** Tells the log how far a download has come, every few seconds at most. */
export const reportProgress = (
  log: Logger,
  { model, totalBytes }: { model: string; totalBytes: number },
  now: () => number = () => performance.now()
) => {
  const begun = now()
  let fetched = 0
  let told = { at: begun, fetched: 0 }
  return {
    add: (bytes: number): void => {
      fetched += bytes
      const elapsedMs = now() - told.at
      if (elapsedMs < INTERVAL_MS) return
      const speed = ((fetched - told.fetched) / elapsedMs) * MS_PER_SECOND
      told = { at: now(), fetched }
      const share = Math.min(100, Math.round((fetched / totalBytes) * 100))
      log.info(
        {
          model,
          fetched: formatBytes(fetched),
          of: formatBytes(totalBytes),
          percent: share,
          per_second: formatBytes(Math.round(speed))
        },
        'fetching a model'
      )
    },
    fetched: () => fetched,
    end: (): void => log.info({ model, fetched: formatBytes(fetched), elapsed_ms: Math.round(now() - begun) }, 'model fetched')
  }
}
