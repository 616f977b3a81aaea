import { terminalDeliveryId, type WebhookState } from '@nextscale/openapi'
import { isTerminal, type Standing } from './settle.ts'
import { type LiveSnapshot, payloadOf } from './snapshot.ts'

/** How the end of a generation is announced; null where nobody is told, and when the delivery is not kept any more. */
export const webhookStateOf = (snapshot: LiveSnapshot, standing: Standing): WebhookState | null => {
  const { webhook } = payloadOf(snapshot)
  const delivery = isTerminal(standing) ? snapshot.delivery : ({ status: 'waiting', attempts: 0 } as const)
  if (!webhook || delivery === undefined) return null
  const { url, events } = webhook
  return { url, events, delivery_id: terminalDeliveryId(snapshot.id), ...delivery }
}
