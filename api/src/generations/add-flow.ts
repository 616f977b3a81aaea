import {
  type DeliverWebhookPayload,
  deliverWebhookJob,
  type GenerateImagePayload,
  type QueuedWebhook,
  terminalDeliveryId
} from '@nextscale/openapi'
import { deliveryOptions } from '@nextscale/platform'
import { type IRedisTransaction, Job, type Queue } from 'bullmq'
import { type Addition, toJob } from './to-job.ts'

export interface FlowQueues {
  queue: Queue<GenerateImagePayload>
  deliveryQueue: Queue<DeliverWebhookPayload>
}

/** The delivery of a generation's end, as BullMQ takes it. */
const toDelivery = ({ id, payload, createdAt }: Addition, { url, base, events }: QueuedWebhook) => {
  const data: DeliverWebhookPayload = { version: 1, owner: payload.owner, generation_id: id, url, base, event: null, events }
  return { name: deliverWebhookJob.queue, data, opts: deliveryOptions(terminalDeliveryId(id), createdAt) }
}

/**
 * Puts a generation and the delivery of its end into a transaction, as BullMQ's own flows do: the script that ends the
 * generation, whichever way, releases the delivery. Of the two the delivery comes first, and without it the generation
 * is not added.
 */
export const addFlow = async (
  transaction: IRedisTransaction,
  { queue, deliveryQueue }: FlowQueues,
  addition: Addition,
  webhook: QueuedWebhook
): Promise<void> => {
  const delivery = toDelivery(addition, webhook)
  const deliveryId = delivery.opts.jobId
  const parent = new Job(deliveryQueue, delivery.name, delivery.data, delivery.opts, deliveryId)
  await parent.addJob(transaction, { addToWaitingChildren: true })
  const { name, data, opts } = toJob(addition)
  const link = { parent: { id: deliveryId, queue: deliveryQueue.qualifiedName }, ignoreDependencyOnFailure: true }
  const child = new Job(queue, name, data, { ...opts, ...link }, addition.id)
  const parentKey = deliveryQueue.toKey(deliveryId)
  await child.addJob(transaction, { parentKey, parentDependenciesKey: `${parentKey}:dependencies` })
}
