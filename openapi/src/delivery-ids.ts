import { createHash } from 'node:crypto'
import { base32 } from './base32.ts'
import type { LiveWebhookEvent } from './schemas/webhook.ts'

const ID_BYTES = 16

/** Id of the delivery that announces a generation's end: the generation's own, so that neither is ever made twice. */
export const terminalDeliveryId = (generationId: string): string => generationId.replace(/^gen_/, 'whd_')

/** Id of the delivery of an event on the way; `part` tells several of one kind apart. The same event has the same id always. */
export const liveDeliveryId = (generationId: string, event: LiveWebhookEvent, part: string): string =>
  `whd_${base32(createHash('sha256').update(`${generationId} ${event} ${part}`).digest().subarray(0, ID_BYTES))}`
