import { type DeliveryStatus, terminalDeliveryId } from '@nextscale/openapi'
import { onRedis } from '../redis/errors.ts'
import type { GenerationReader } from './reader.ts'
import { isTerminal, settle } from './settle.ts'
import { type DeliverySummary, type LiveSnapshot, payloadOf, type Snapshot } from './snapshot.ts'

interface DeliveryReader {
  /** Many in one round trip, in the order of the ids; undefined for one that is not kept any more. */
  readMany(ids: readonly string[]): Promise<readonly (Readonly<DeliverySummary> | undefined)[]>
}

/** Until a generation has ended, its delivery waits: only of one that has, there is something to read. */
const isAnnounced = (snapshot: Snapshot): snapshot is LiveSnapshot =>
  (snapshot.kind === 'job' || snapshot.kind === 'removed') && Boolean(payloadOf(snapshot).webhook) && isTerminal(settle(snapshot))

/** One whose end is on record is as good as released: whoever takes its job out of the queue is about to. */
const afterEnd = (status: DeliveryStatus): DeliveryStatus => (status === 'waiting' ? 'pending' : status)

/** A reader that looks up as well how the end was announced, of those that have ended and are announced. */
export const withDeliveries = (reader: GenerationReader, deliveries: DeliveryReader): GenerationReader => {
  const attach = async (snapshots: Snapshot[]): Promise<Snapshot[]> => {
    const ids = snapshots.filter(isAnnounced).map(({ id }) => terminalDeliveryId(id))
    if (ids.length === 0) return snapshots
    const read = await onRedis(() => deliveries.readMany(ids))
    const byId = new Map(ids.map((id, position) => [id, read[position]]))
    return snapshots.map((snapshot) => {
      const delivery = isAnnounced(snapshot) ? byId.get(terminalDeliveryId(snapshot.id)) : undefined
      if (!isAnnounced(snapshot) || delivery === undefined) return snapshot
      return { ...snapshot, delivery: { status: afterEnd(delivery.status), attempts: delivery.attempts } }
    })
  }
  return {
    read: async (owner, id) => {
      const snapshot = await reader.read(owner, id)
      return isAnnounced(snapshot) ? ((await attach([snapshot]))[0] ?? snapshot) : snapshot
    },
    readMany: async (owner, ids) => attach(await reader.readMany(owner, ids))
  }
}
