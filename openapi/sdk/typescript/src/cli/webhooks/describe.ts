import type { WebhookDelivery } from '../../generated/contract.ts'

/** What came of the last attempt. */
const lastOf = ({ attempts, next_attempt_at }: WebhookDelivery): string[] => {
  const last = attempts.at(-1)
  if (!last) return []
  const said =
    last.error ?? (last.status_code === null ? last.outcome : `${last.status_code} in ${Math.round(last.latency_ms)} ms`)
  return [`${attempts.length}x`, said, ...(next_attempt_at === null ? [] : [`next at ${next_attempt_at}`])]
}

/** A delivery in one line. */
export const describeDelivery = (delivery: WebhookDelivery): string =>
  [
    delivery.id,
    delivery.status.padEnd(9),
    delivery.created_at,
    delivery.event ?? '-',
    delivery.generation_id ?? '-',
    delivery.url,
    ...lastOf(delivery)
  ].join('  ')
