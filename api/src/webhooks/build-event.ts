import {
  type DeliverWebhookPayload,
  type Generation,
  TERMINAL_WEBHOOK_EVENTS,
  type TerminalWebhookEvent,
  type WebhookEvent
} from '@nextscale/openapi'
import type { GenerationReader } from '../generations/reader.ts'
import { toGeneration, toOutput, type ViewContext } from '../generations/resource.ts'
import { expiryOf, isOver, isTerminal, settle, type Standing } from '../generations/settle.ts'
import { type LiveSnapshot, payloadOf } from '../generations/snapshot.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'

export interface EventContext {
  reader: GenerationReader
  store: ObjectStore
  /** Base of absolute URLs; where it is not set, the one that the request saw counts. */
  publicUrl: string | undefined
  now?: () => number
}

/** A delivery as it is taken up. */
export interface DueDelivery {
  payload: DeliverWebhookPayload
  /** When it was made, in Unix ms. */
  createdAt: number
}

export type BuiltEvent =
  | { kind: 'send'; event: WebhookEvent }
  /** It is not wanted, or has been overtaken. */
  | { kind: 'skip'; event: WebhookEvent['type'] }
  /** Nothing is left of the generation, and nothing may be told of it. */
  | { kind: 'gone'; reason: string }
  /** The generation has not ended after all. */
  | { kind: 'early' }

const timestamp = (ms: number) => new Date(ms).toISOString()

const nowOf = ({ now = Date.now }: EventContext): number => now()

/** What may be told of a generation once its links have ended, or will have. */
export const withoutPictures = (generation: Generation): Generation => ({ ...generation, outputs: [], previews: [] })

const eventOf = (status: Extract<Standing, { at: number }>['status']): TerminalWebhookEvent => `generation.${status}`

const viewOf = ({ store, publicUrl }: EventContext, { base }: DeliverWebhookPayload): ViewContext => ({
  store,
  base: publicUrl ?? base,
  // Receivers have no use for a link that lets its reader in.
  streamTokens: { mint: () => undefined }
})

const buildTerminal = async (
  context: EventContext,
  { payload }: DueDelivery,
  snapshot: LiveSnapshot,
  standing: Standing
): Promise<BuiltEvent> => {
  if (!isTerminal(standing)) return { kind: 'early' }
  const type = eventOf(standing.status)
  if (payload.events && !payload.events.includes(type)) return { kind: 'skip', event: type }
  const generation = await toGeneration(snapshot, standing, viewOf(context, payload))
  const data = isOver(snapshot, standing, nowOf(context)) ? withoutPictures(generation) : generation
  return { kind: 'send', event: { type, timestamp: timestamp(standing.at), data } }
}

const buildOutput = async (
  context: EventContext,
  { payload, createdAt }: DueDelivery,
  snapshot: LiveSnapshot,
  standing: Standing
) => {
  const { output } = payload
  if (output === undefined) return undefined
  const { metadata, label } = payloadOf(snapshot)
  const notAfter = isTerminal(standing) ? expiryOf(snapshot, standing.at) : Number.POSITIVE_INFINITY
  const data = {
    generation_id: snapshot.id,
    output: await toOutput(output, notAfter, viewOf(context, payload)),
    metadata,
    label
  }
  return { type: 'generation.output', timestamp: timestamp(createdAt), data } as const
}

/** Whether the generation has gone on since: a later scale is finished, or another attempt under way. */
const isOvertaken = ({ progress: told }: DeliverWebhookPayload, snapshot: LiveSnapshot): boolean => {
  if (!told || snapshot.kind !== 'job') return false
  const { run = told.run, progress } = snapshot.progress ?? {}
  return run > told.run || (run === told.run && (progress?.scale ?? 0) > told.scale)
}

const buildLive = async (
  context: EventContext,
  due: DueDelivery,
  snapshot: LiveSnapshot,
  standing: Standing
): Promise<BuiltEvent> => {
  const { payload, createdAt } = due
  const { event: type } = payload
  if (type === 'generation.output') {
    // A run that was given up after it had stored pictures has none to show, and in the end there is none any more.
    const isLost = isTerminal(standing) && (standing.status !== 'succeeded' || isOver(snapshot, standing, nowOf(context)))
    const event = isLost ? undefined : await buildOutput(context, due, snapshot, standing)
    return event ? { kind: 'send', event } : { kind: 'skip', event: type }
  }
  if (type !== 'generation.started' && type !== 'generation.progress') return { kind: 'early' }
  if (isTerminal(standing) || isOvertaken(payload, snapshot)) return { kind: 'skip', event: type }
  const data = await toGeneration(snapshot, standing, viewOf(context, payload))
  return { kind: 'send', event: { type, timestamp: timestamp(createdAt), data } }
}

/**
 * Of a generation of which nothing is left. Once its retention is over that was to be expected, and what was put aside is
 * told; before that somebody deleted it, and nothing is.
 */
const buildKept = (kept: Generation | undefined, now: number): BuiltEvent => {
  const type = TERMINAL_WEBHOOK_EVENTS.find((event) => event === `generation.${kept?.status}`)
  if (type && kept?.completed_at && kept.expires_at && Date.parse(kept.expires_at) <= now) {
    return { kind: 'send', event: { type, timestamp: kept.completed_at, data: kept } }
  }
  return { kind: 'gone', reason: 'The generation was deleted, or not kept for as long as this took.' }
}

/** What a delivery has to say now: read anew for each attempt, so that links are fresh and nothing deleted is told. */
export const buildEvent = async (context: EventContext, due: DueDelivery): Promise<BuiltEvent> => {
  const { payload, createdAt } = due
  if (payload.generation_id === null) {
    const data = { message: 'A test: webhooks arrive here.' }
    return { kind: 'send', event: { type: 'webhook.test', timestamp: timestamp(createdAt), data } }
  }
  const snapshot = await context.reader.read(payload.owner, payload.generation_id)
  if (snapshot.kind === 'unreadable') throw new Error('The generation was written by another release')
  if (snapshot.kind === 'unknown' || snapshot.kind === 'gone') return buildKept(payload.kept, nowOf(context))
  const standing = settle(snapshot)
  return payload.event === null ? buildTerminal(context, due, snapshot, standing) : buildLive(context, due, snapshot, standing)
}
