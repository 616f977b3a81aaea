import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 20_000
const AGAIN_MS = 10

/** Asks again and again until it is so; fails with `what` when it does not come about in time. */
export const until = async (
  what: string,
  isSo: () => boolean | Promise<boolean>,
  { deadlineMs = DEADLINE_MS, againMs = AGAIN_MS }: { deadlineMs?: number; againMs?: number } = {}
): Promise<void> => {
  const deadline = performance.now() + deadlineMs
  do {
    if (await isSo()) return
    await sleep(againMs)
  } while (performance.now() < deadline)
  throw new Error(`${what} did not come about in ${deadlineMs} ms`)
}
