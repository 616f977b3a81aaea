import { setTimeout } from 'node:timers/promises'

const INTERVAL_MS = 20

/** Asks again and again until the answer is there; fails with `what` when it is not within the time. */
export const until = async <T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = 20_000): Promise<T> => {
  const deadline = Date.now() + timeoutMs
  do {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await setTimeout(INTERVAL_MS)
  } while (Date.now() < deadline)
  throw new Error(`not within ${timeoutMs} ms: ${what}`)
}
