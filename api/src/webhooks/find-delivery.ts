import { deliverWebhookJob } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'
import type { DeliveryReader, DeliverySnapshot } from './delivery-snapshot.ts'

/** Until when a finished delivery is kept, in ms; null while it is not finished. */
export const expiryOf = ({ completedAt }: DeliverySnapshot): number | null =>
  completedAt === null ? null : completedAt + deliverWebhookJob.retentionSeconds * 1000

/** Whether an owner may see it. BullMQ removes finished jobs late, so the time decides and not whether it is still there. */
export const isShown = (snapshot: DeliverySnapshot | undefined, owner: string, now: number): snapshot is DeliverySnapshot =>
  snapshot !== undefined && snapshot.payload.owner === owner && now < (expiryOf(snapshot) ?? Number.POSITIVE_INFINITY)

/** An owner's delivery. Throws a problem when there is none to show. */
export const findDelivery = async (
  deliveries: DeliveryReader,
  owner: string,
  id: string,
  now = Date.now()
): Promise<DeliverySnapshot> => {
  const [snapshot] = await deliveries.readMany([id])
  if (isShown(snapshot, owner, now)) return snapshot
  const detail = `There is no webhook delivery ${id}, or none any more. GET /v1/webhook-deliveries lists those there are.`
  throw new ProblemError('delivery_not_found', detail)
}
