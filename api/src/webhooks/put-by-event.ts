import type { DeliverWebhookPayload, WebhookEvent } from '@nextscale/openapi'
import type { Job } from 'bullmq'
import { buildEvent, type EventContext, withoutPictures } from './build-event.ts'

/**
 * Puts the end of a generation aside once it could not be delivered, without its pictures: those may be gone before the
 * receiver is back. Whether it was deleted meanwhile is asked after that, so that a deletion leaves nothing here.
 */
export const putByEvent = async (context: EventContext, job: Job, payload: DeliverWebhookPayload, event: WebhookEvent) => {
  if (payload.event !== null || payload.kept || !('outputs' in event.data)) return
  const keeping = { ...payload, kept: withoutPictures(event.data) }
  await job.updateData(keeping)
  const { kind } = await buildEvent(context, { payload: keeping, createdAt: job.timestamp })
  if (kind === 'gone') await job.updateData(payload)
}
