import type { DeliverWebhookPayload } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import { ProblemError } from '../http/problem.ts'
import { onRedis } from '../redis/errors.ts'
import type { DeliveryReader, DeliverySnapshot } from './delivery-snapshot.ts'
import { findDelivery } from './find-delivery.ts'

interface RedeliverContext {
  deliveries: DeliveryReader
  deliveryQueue: Queue<DeliverWebhookPayload>
}

const notDue = (detail: string) => new ProblemError('delivery_not_due', detail)

const requireDue = ({ id, status, result, payload }: DeliverySnapshot): void => {
  if (status === 'waiting') {
    throw notDue(
      `The generation ${payload.generation_id} of ${id} has not ended, so there is nothing to send yet. Wait for its end.`
    )
  }
  if (status === 'skipped') {
    const detail = `${id} was skipped: it ended in ${result?.event}, which was not asked for. Name that in webhook.events next time.`
    throw notDue(detail)
  }
}

/** Whether BullMQ says that a job is not, or not any more, where it was seen. */
const hasMoved = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code < 0

/** Makes it due if it is not. Another request, or the process that delivers it, may do so first. */
const makeDue = async (queue: Queue<DeliverWebhookPayload>, { id, place }: DeliverySnapshot): Promise<void> => {
  try {
    if (place === 'delayed') await queue.backend.promote(id)
    if (place !== 'completed' && place !== 'failed') return
    const job = await queue.getJob(id)
    // All attempts of the schedule are there again.
    await job?.retry(place, { resetAttemptsMade: true, resetAttemptsStarted: true })
  } catch (error) {
    if (!hasMoved(error)) throw error
  }
}

/** Sends an owner's delivery again, now. One that is due or under way stays as it is. */
export const redeliver = async (context: RedeliverContext, owner: string, id: string): Promise<DeliverySnapshot> => {
  const { deliveries, deliveryQueue } = context
  const snapshot = await findDelivery(deliveries, owner, id)
  requireDue(snapshot)
  await onRedis(() => makeDue(deliveryQueue, snapshot))
  return findDelivery(deliveries, owner, id)
}
