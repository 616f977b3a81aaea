import type { Generation } from '@nextscale/openapi'
import type { EventStream } from '../http/event-stream.ts'
import { foreseen, ProblemError } from '../http/problem.ts'
import type { Watch } from '../redis/job-events.ts'
import { formatPosition, type Position, positionOf } from './event-position.ts'
import { eventsAfter, isBehind, type PositionedEvent } from './events-after.ts'
import type { Found } from './find.ts'

/** Events of the queue are hints that may be missed, so a stream looks for itself this often. */
const REREAD_MS = 1000

export interface FollowOptions {
  id: string
  /** The state at the connection. */
  found: Found
  /** Where the client was before; without it the stream begins with a snapshot. */
  after: Position | undefined
  stream: EventStream
  watch: Watch
  read: () => Promise<Found>
  show: (found: Found) => Promise<Generation>
  /** Fires when the client is gone or the server is closing. */
  signal: AbortSignal
}

const toBlock = (id: string, { name, data, position }: PositionedEvent): string =>
  `id: ${formatPosition(id, position)}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

/** The next state; undefined while it cannot be had, `gone` once there is none to come. */
const readAgain = async (read: () => Promise<Found>): Promise<Found | 'gone' | undefined> => {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    // The heartbeat goes on meanwhile.
    return error.code === 'queue_unavailable' || error.code === 'queue_full' ? undefined : 'gone'
  }
}

/** Whether all that was due has been sent: after waiting for the client the state is looked at anew. */
const sendAll = async (
  { id, stream, signal }: FollowOptions,
  events: readonly PositionedEvent[],
  move: (position: Position) => void
): Promise<boolean> => {
  for (const event of events) {
    if (signal.aborted) return false
    const sent = await stream.send(toBlock(id, event))
    move(event.position)
    if (sent === 'after-waiting') return false
  }
  return true
}

/** Links of pictures are minted by a store that may be away as well; then the state is tried again. */
const showOrWait = async ({ show }: FollowOptions, found: Found): Promise<Generation | undefined> => {
  try {
    return await show(found)
  } catch (error) {
    if (foreseen(error)) return undefined
    throw error
  }
}

/** Sends what happens to a generation until it has ended, cannot be read any more, or the signal fires. */
export const follow = async (options: FollowOptions): Promise<void> => {
  const { watch, read, signal } = options
  let found: Found | undefined = options.found
  let position = options.after
  const move = (next: Position) => (position = next)
  while (!signal.aborted) {
    let isDone = true
    let isShown = true
    const target = found && positionOf(found)
    if (found && target && (position === undefined || isBehind(position, target))) {
      const generation = await showOrWait(options, found)
      isShown = generation !== undefined
      const events: PositionedEvent[] =
        generation === undefined
          ? []
          : position === undefined
            ? [{ name: 'snapshot', data: generation, position: target }]
            : eventsAfter(position, target, generation)
      isDone = await sendAll(options, events, move)
    }
    if (position?.ended) return
    // A snapshot of a generation that has ended is followed by its end.
    const isEnding = isShown && position !== undefined && target !== undefined && isBehind(position, target)
    if (isDone && !isEnding) await watch.next(REREAD_MS, signal)
    const next = await readAgain(read)
    if (next === 'gone') return
    found = next
  }
}
