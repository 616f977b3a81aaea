import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

const BLOCK_MS = 1000
const RETRY_MS = 250
/** New streams are looked for this often. */
const JOIN_MS = 1000
const FINAL_EVENTS: ReadonlySet<string> = new Set(['completed', 'failed', 'removed'])

/** Which events of its job wake a watch: all, or those after which it may be finished. */
export type Waking = 'every' | 'final'

export interface Watch {
  /** Resolves when the job has had such an event, when the time is up or when the signal fires. It never rejects. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>
  stop(): void
}

export interface JobEvents {
  watch(jobId: string, waking?: Waking): Watch
  close(): void
}

type StreamReply = [stream: string, entries: [id: string, fields: string[]][]][]

/** ioredis types XREAD's reply as unknown; with its default reply mapping it is nested arrays. */
const asStreamReply = (reply: unknown): StreamReply => (Array.isArray(reply) ? (reply as StreamReply) : [])

const fieldOf = (fields: readonly string[], name: string): string | undefined => {
  for (let index = 0; index + 1 < fields.length; index += 2) if (fields[index] === name) return fields[index + 1]
  return undefined
}

/** Who waits for which job. */
class Watchers {
  readonly #wakers = new Map<string, Map<() => void, Waking>>()

  get size(): number {
    return this.#wakers.size
  }

  add(jobId: string, waking: Waking, wake: () => void): void {
    const wakers = this.#wakers.get(jobId) ?? new Map<() => void, Waking>()
    this.#wakers.set(jobId, wakers.set(wake, waking))
  }

  remove(jobId: string, wake: () => void): void {
    const wakers = this.#wakers.get(jobId)
    wakers?.delete(wake)
    if (wakers?.size === 0) this.#wakers.delete(jobId)
  }

  wake(jobId: string, isFinal: boolean): void {
    for (const [wake, waking] of this.#wakers.get(jobId) ?? []) if (isFinal || waking === 'every') wake()
  }

  wakeAll(): void {
    for (const jobId of this.#wakers.keys()) this.wake(jobId, true)
  }
}

/** Resolves when woken, timed out or aborted, whichever is first. */
const createWatch = (watchers: Watchers, jobId: string, waking: Waking): Watch => {
  let isWoken = false
  let resolveNext: (() => void) | undefined
  const wake = () => {
    isWoken = true
    resolveNext?.()
  }
  watchers.add(jobId, waking, wake)
  return {
    async next(timeoutMs, signal) {
      if (!isWoken && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const finish = () => {
            clearTimeout(timer)
            signal.removeEventListener('abort', finish)
            resolve()
          }
          const timer = setTimeout(finish, timeoutMs)
          resolveNext = finish
          signal.addEventListener('abort', finish, { once: true })
        })
      }
      isWoken = false
      resolveNext = undefined
    },
    stop: () => watchers.remove(jobId, wake)
  }
}

/** By key of a stream, the entry that was read last. */
type Positions = ReadonlyMap<string, string>

/** Streams that are read together, those that come up meanwhile as well. */
const createStreams = (redis: Redis, streamKeys: () => Promise<readonly string[]>, watchers: Watchers) => {
  let positions: Positions = new Map()
  let joinedAt = Number.NEGATIVE_INFINITY

  const lastEntry = async (key: string) => (await redis.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0'
  const join = async () => {
    if (redis.status === 'wait') await redis.connect()
    const keys = await streamKeys()
    const isNew = keys.some((key) => !positions.has(key))
    positions = new Map(
      await Promise.all(keys.map(async (key): Promise<[string, string]> => [key, positions.get(key) ?? (await lastEntry(key))]))
    )
    joinedAt = performance.now()
    // Whoever began to wait before this point may have missed the event.
    if (isNew) watchers.wakeAll()
  }

  return {
    /** Wakes whom the next entries concern, of which there may be none for a while. */
    read: async () => {
      if (performance.now() - joinedAt > JOIN_MS) await join()
      const after = new Map(positions)
      const streams = [...positions.keys(), ...positions.values()]
      for (const [key, entries] of asStreamReply(await redis.xread('COUNT', 1000, 'BLOCK', BLOCK_MS, 'STREAMS', ...streams))) {
        for (const [id, fields] of entries) {
          after.set(key, id)
          const jobId = fieldOf(fields, 'jobId')
          if (jobId !== undefined) watchers.wake(jobId, FINAL_EVENTS.has(fieldOf(fields, 'event') ?? ''))
        }
      }
      positions = after
    }
  }
}

/**
 * Hints that a job has changed, from the event streams of BullMQ's queues. They only make waiting quicker: events can be missed, so
 * whoever waits reads the job again now and then. The streams are read only while somebody waits.
 */
export const createJobEvents = (redis: Redis, streamKeys: () => Promise<readonly string[]>): JobEvents => {
  const watchers = new Watchers()
  const closing = new AbortController()
  let isReading = false

  const readWhileWatched = async () => {
    let streams = createStreams(redis, streamKeys, watchers)
    while (watchers.size > 0 && !closing.signal.aborted) {
      try {
        await streams.read()
      } catch {
        streams = createStreams(redis, streamKeys, watchers)
        await sleep(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
    isReading = false
  }

  return {
    watch(jobId, waking = 'final') {
      const watch = createWatch(watchers, jobId, waking)
      if (!isReading) {
        isReading = true
        void readWhileWatched()
      }
      return watch
    },
    close() {
      closing.abort()
      redis.disconnect()
    }
  }
}
