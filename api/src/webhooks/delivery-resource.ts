import type { TerminalWebhookEvent, WebhookAttempt, WebhookDelivery } from '@nextscale/openapi'
import type { GenerationReader } from '../generations/reader.ts'
import { isTerminal, settle } from '../generations/settle.ts'
import type { Snapshot } from '../generations/snapshot.ts'
import type { DeliveryReader, DeliverySnapshot } from './delivery-snapshot.ts'
import { expiryOf } from './find-delivery.ts'

interface PresentContext {
  deliveries: DeliveryReader
  reader: GenerationReader
}

type Ends = ReadonlyMap<string, TerminalWebhookEvent | undefined>

const timestampOrNull = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** Announces an end, and neither says itself which nor waits for it. */
const isUnnamed = ({ status, payload, result }: DeliverySnapshot) =>
  status !== 'waiting' && payload.event === null && result === null

const endOf = (snapshot: Snapshot | undefined): TerminalWebhookEvent | undefined => {
  if (snapshot?.kind !== 'job' && snapshot?.kind !== 'removed') return undefined
  const standing = settle(snapshot)
  return isTerminal(standing) ? `generation.${standing.status}` : undefined
}

/** How the generations of deliveries ended, by the deliveries’ ids. Those that are not kept any more have left a trace. */
const readEnds = async (context: PresentContext, owner: string, snapshots: readonly DeliverySnapshot[]): Promise<Ends> => {
  const unnamed = snapshots.filter(isUnnamed)
  if (unnamed.length === 0) return new Map()
  const [generations, traces] = await Promise.all([
    context.reader.readMany(
      owner,
      unnamed.map(({ payload }) => payload.generation_id ?? '')
    ),
    context.deliveries.readEnds(unnamed.map(({ id }) => id))
  ])
  return new Map(unnamed.map(({ id }, position) => [id, endOf(generations[position]) ?? traces[position]]))
}

const toDelivery = (snapshot: DeliverySnapshot, attempts: WebhookAttempt[], ends: Ends, now: number): WebhookDelivery => {
  const { id, payload, status, result, nextAttemptAt, createdAt, completedAt } = snapshot
  return {
    id,
    generation_id: payload.generation_id,
    event: payload.event ?? result?.event ?? ends.get(id) ?? null,
    url: payload.url,
    status,
    attempts,
    next_attempt_at: nextAttemptAt !== null && nextAttemptAt > now ? new Date(nextAttemptAt).toISOString() : null,
    created_at: new Date(createdAt).toISOString(),
    completed_at: timestampOrNull(completedAt),
    expires_at: timestampOrNull(expiryOf(snapshot))
  }
}

/** An owner's deliveries as their owner sees them, in the same order. */
export const toDeliveries = async (
  context: PresentContext,
  owner: string,
  snapshots: readonly DeliverySnapshot[],
  now = Date.now()
): Promise<WebhookDelivery[]> => {
  const [attempts, ends] = await Promise.all([
    context.deliveries.readAttempts(snapshots.map(({ id }) => id)),
    readEnds(context, owner, snapshots)
  ])
  return snapshots.map((snapshot, position) => toDelivery(snapshot, attempts[position] ?? [], ends, now))
}

export const toOneDelivery = async (
  context: PresentContext,
  owner: string,
  snapshot: DeliverySnapshot
): Promise<WebhookDelivery> => {
  const [delivery] = await toDeliveries(context, owner, [snapshot])
  if (!delivery) throw new TypeError('As many are presented as were given')
  return delivery
}
