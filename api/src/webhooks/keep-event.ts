import type { DeliverWebhookPayload, WebhookEvent } from '@nextscale/openapi'
import type { Job } from 'bullmq'
import { buildEvent, type EventContext } from './build-event.ts'

/**
 * Puts the end of a generation aside once it could not be delivered, without its pictures: those may be gone before the
 * receiver is back. One that was deleted meanwhile is not kept.
 */
export const keepEvent = async (context: EventContext, job: Job, payload: DeliverWebhookPayload, event: WebhookEvent) => {
  if (payload.event !== null || payload.kept || !('outputs' in event.data)) return
  const { kind } = await buildEvent(context, { payload, createdAt: job.timestamp })
  if (kind === 'send') await job.updateData({ ...payload, kept: { ...event.data, outputs: [], previews: [] } })
}
