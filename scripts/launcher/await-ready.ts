import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100
const REQUEST_TIMEOUT_MS = 5000
const REMINDER_MS = 30_000

const probe = async (base: string, signal: AbortSignal): Promise<string | undefined> => {
  try {
    const response = await fetch(`${base}/readyz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]) })
    if (response.ok) return undefined
    const { title } = (await response.json()) as { title?: string }
    return title ?? `it answers ${response.status}`
  } catch {
    return 'the API does not answer'
  }
}

/** Resolves once the API would accept a request; `remind` hears from time to time why it would not. */
export const awaitReady = async (
  base: string,
  { signal, remind }: { signal: AbortSignal; remind: (reason: string) => void }
): Promise<boolean> => {
  let nextReminder = performance.now() + REMINDER_MS
  while (!signal.aborted) {
    const reason = await probe(base, signal)
    if (reason === undefined) return true
    if (performance.now() >= nextReminder) {
      remind(reason)
      nextReminder += REMINDER_MS
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
  return false
}
