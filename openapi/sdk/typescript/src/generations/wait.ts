import { TimeoutError } from '../errors.ts'
import type { Generation, GenerationEvent } from '../generated/contract.ts'
import { startDeadline } from '../transport/deadline.ts'
import type { Transport } from '../transport/transport.ts'
import { events } from './events.ts'
import { assertSucceeded } from './is-terminal.ts'
import { poll } from './poll.ts'

export interface WaitOptions {
  /** Ends the waiting. The generation goes on: `cancel` ends it. */
  signal?: AbortSignal | undefined
  /** Called with each event, in order. Without it nothing but the outcome is asked for. Where there are no events, it is not called. */
  onEvent?: ((event: GenerationEvent) => void) | undefined
  /** Most time until the generation is terminal. Default: none, since the generation has its own deadline. */
  timeoutMs?: number | undefined
}

/** Thrown by a callback, and no reason to ask the server in another way. */
class CallbackError extends Error {}

const callBack = (onEvent: WaitOptions['onEvent'], event: GenerationEvent): void => {
  try {
    onEvent?.(event)
  } catch (error) {
    throw new CallbackError('onEvent threw', { cause: error })
  }
}

/** Follows the events to the end; `undefined` where they cannot be had, whatever the reason: polling finds out what it is. */
const follow = async (transport: Transport, id: string, { signal, onEvent }: WaitOptions): Promise<Generation | undefined> => {
  try {
    for await (const event of events(transport, id, { signal })) {
      callBack(onEvent, event)
      if (event.event === 'end') return event.data
    }
  } catch (error) {
    if (error instanceof CallbackError) throw error.cause
    if (signal?.aborted) throw signal.reason
  }
  return undefined
}

/** Longest delay a timer takes. */
const FOR_EVER_MS = 2 ** 31 - 1

/** Waits until a generation is terminal: by its events, or by long polls where those cannot be had. */
export const wait = async (
  transport: Transport,
  id: string,
  { signal, onEvent, timeoutMs = FOR_EVER_MS }: WaitOptions = {}
): Promise<Generation> => {
  const deadline = startDeadline(Math.min(timeoutMs, FOR_EVER_MS), signal)
  try {
    const ended = await follow(transport, id, { signal: deadline.signal, onEvent })
    return assertSucceeded(ended ?? (await poll(transport, id, deadline.signal)))
  } catch (error) {
    if (!deadline.hasPassed() || signal?.aborted) throw error
    const detail = `Generation ${id} is not finished after ${timeoutMs} ms. It goes on: wait for it again, or cancel it.`
    throw new TimeoutError({ code: 'timed_out', detail, retryable: true, cause: error })
  } finally {
    deadline.stop()
  }
}
