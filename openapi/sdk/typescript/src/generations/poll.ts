import type { Generation } from '../generated/contract.ts'
import { readJson } from '../transport/read-json.ts'
import { readRetryAfter } from '../transport/retry-after.ts'
import { sleep } from '../transport/sleep.ts'
import type { Transport } from '../transport/transport.ts'
import { isTerminal } from './is-terminal.ts'
import { generationPath } from './path.ts'

/** Short enough for the proxies that close what is silent for half a minute. */
const WAIT_SECONDS = 20
/** For the way there and back, on top of the wait. */
const SLACK_MS = 15_000
const PAUSE_MS = 1000

/** Long-polls a generation until it is terminal. A wait that runs out is no result. */
export const poll = async (transport: Transport, id: string, signal: AbortSignal): Promise<Generation> => {
  const call = { path: generationPath(id), query: { wait: WAIT_SECONDS }, timeoutMs: WAIT_SECONDS * 1000 + SLACK_MS, signal }
  for (;;) {
    const sentAt = performance.now()
    const { generation, pauseMs } = await transport.request(call, async (response) => ({
      generation: await readJson<Generation>(response),
      pauseMs: readRetryAfter(response.headers) ?? PAUSE_MS
    }))
    if (isTerminal(generation)) return generation
    // A server that does not hold the answer is still asked no more often than it says.
    await sleep(Math.max(0, pauseMs - (performance.now() - sentAt)), signal)
  }
}
