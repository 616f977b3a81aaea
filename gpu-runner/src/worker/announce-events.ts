import {
  type DeliverWebhookPayload,
  type GenerateImagePayload,
  LIVE_WEBHOOK_EVENTS,
  type LiveWebhookEvent,
  liveDeliveryId,
  type QueuedWebhook,
  type RedisKeys,
  type StoredOutput
} from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type LiveDelivery, openDeliveryQueue } from './add-deliveries.ts'

/** Transactions on their way at once: of a Redis that does not answer no more is asked. */
const MAX_IN_FLIGHT = 256

/** Tells the webhook of one generation what happens before its end. Nothing here fails or waits for Redis. */
export interface EventAnnouncer {
  started(): void
  /** All pictures have this many scales. */
  progress(scale: number): void
  /** Resolves once the events are on the connection, on which the generation's end comes after them. */
  outputs(outputs: readonly StoredOutput[]): Promise<void>
}

/** The attempt that announces. */
export interface AnnouncingAttempt {
  id: string
  payload: Pick<GenerateImagePayload, 'owner' | 'webhook'>
  /** BullMQ's count of starts. */
  run: number
  /** Once it aborts, nothing more is announced. */
  signal: AbortSignal
}

/** Events of generations that have not ended. They are best effort: what Redis does not take is lost. */
export interface LiveEvents {
  of(attempt: AnnouncingAttempt): EventAnnouncer
  /** Resolves once Redis has answered for all that was announced. */
  settled(): Promise<void>
  close(): Promise<void>
}

export interface LiveEventsOptions {
  /** The connection that generations are ended on. */
  redis: Redis
  keys: RedisKeys
  log: Logger
  onAnnounced: (event: LiveWebhookEvent, outcome: 'queued' | 'lost') => void
}

/** `part` tells apart events of one name, and is the same in every attempt that would repeat one. */
interface Announcement extends Pick<DeliverWebhookPayload, 'output' | 'progress'> {
  event: LiveWebhookEvent
  part: string
}

/** Of generations that ask for no event on the way, as most do. */
export const SILENT: EventAnnouncer = {
  started: () => undefined,
  progress: () => undefined,
  outputs: () => Promise.resolve()
}

const toDelivery = (
  { id, payload: { owner } }: AnnouncingAttempt,
  { url, base }: QueuedWebhook,
  { part, ...announced }: Announcement
): LiveDelivery => ({
  id: liveDeliveryId(id, announced.event, part),
  createdAt: Date.now(),
  payload: { version: 1, owner, generation_id: id, url, base, ...announced }
})

type Send = (attempt: AnnouncingAttempt, webhook: QueuedWebhook, announcements: readonly Announcement[]) => Promise<void>

const createSend = async ({ redis, keys, log, onAnnounced }: LiveEventsOptions) => {
  const queue = await openDeliveryQueue(redis, keys, log)
  const inFlight = new Set<Promise<void>>()

  const send: Send = async (attempt, webhook, announcements) => {
    const tell = (outcome: 'queued' | 'lost') => announcements.forEach(({ event }) => onAnnounced(event, outcome))
    // While Redis is away, what is sent would gather, and arrive when it is of no use any more.
    if (redis.status !== 'ready' || inFlight.size >= MAX_IN_FLIGHT) return tell('lost')
    const { id, payload } = attempt
    const deliveries = announcements.map((announcement) => toDelivery(attempt, webhook, announcement))
    const added = queue.add(id, payload.owner, deliveries)
    const answered = added
      .then((adding) => adding.answered)
      .then(
        () => tell('queued'),
        (error: unknown) => {
          log.debug({ err: error, generation: id }, 'webhook events were lost')
          tell('lost')
        }
      )
      .finally(() => inFlight.delete(answered))
    inFlight.add(answered)
    await added.catch(() => undefined)
  }

  return {
    send,
    settled: async () => {
      while (inFlight.size > 0) await Promise.all(inFlight)
    },
    close: () => queue.close()
  }
}

export const createLiveEvents = async (options: LiveEventsOptions): Promise<LiveEvents> => {
  const { send, settled, close } = await createSend(options)

  const of = (attempt: AnnouncingAttempt): EventAnnouncer => {
    const { payload, run, signal } = attempt
    const { webhook } = payload
    const asked = LIVE_WEBHOOK_EVENTS.filter((event) => webhook?.events.includes(event))
    if (!webhook || asked.length === 0) return SILENT
    const announce = async (event: LiveWebhookEvent, announcements: readonly Omit<Announcement, 'event'>[]): Promise<void> => {
      if (signal.aborted || !asked.includes(event)) return
      await send(
        attempt,
        webhook,
        announcements.map((announcement) => ({ event, ...announcement }))
      )
    }
    return {
      // Of all attempts the first one announces it, or else the first whose Redis takes it.
      started: () => void announce('generation.started', [{ part: 'start' }]),
      progress: (scale) => void announce('generation.progress', [{ part: `${run}:${scale}`, progress: { run, scale } }]),
      outputs: (outputs) =>
        announce(
          'generation.output',
          outputs.map((output) => ({ part: String(output.index), output }))
        )
    }
  }

  return { of, settled, close }
}
