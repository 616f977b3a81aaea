import type { operations, WebhookDelivery, WebhookDeliveryList, WebhookKeySet, WebhookSecret } from '../generated/contract.ts'
import type { CallOptions } from '../generations/create.ts'
import { readJson } from '../transport/read-json.ts'
import type { Transport } from '../transport/transport.ts'

/** Filters; `limit` is the size of a page, not of the list. */
export type DeliveryFilters = NonNullable<operations['listWebhookDeliveries']['parameters']['query']>

const deliveryPath = (id: string): string => `/webhook-deliveries/${encodeURIComponent(id)}`

/** What was delivered, and the keys it is signed with. */
export class Webhooks {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Deliveries, newest first, page by page as they are asked for. */
  async *deliveries(filters: DeliveryFilters = {}, { signal }: CallOptions = {}): AsyncGenerator<WebhookDelivery, void> {
    let cursor = filters.cursor
    do {
      const call = { path: '/webhook-deliveries', query: { ...filters, cursor }, signal }
      const page = await this.#transport.request(call, readJson<WebhookDeliveryList>)
      yield* page.data
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
  }

  /** A delivery and every attempt to make it. */
  delivery(id: string, { signal }: CallOptions = {}): Promise<WebhookDelivery> {
    return this.#transport.request({ path: deliveryPath(id), signal }, readJson<WebhookDelivery>)
  }

  /** Sends a webhook again, now, under the same `webhook-id`. */
  redeliver(id: string, { signal }: CallOptions = {}): Promise<WebhookDelivery> {
    return this.#transport.request({ method: 'POST', path: `${deliveryPath(id)}/redeliver`, signal }, readJson<WebhookDelivery>)
  }

  /** Sends a `webhook.test` event; `delivery` tells what the receiver answered. */
  test(url: string, { signal }: CallOptions = {}): Promise<WebhookDelivery> {
    return this.#transport.request({ method: 'POST', path: '/webhooks/test', body: { url }, signal }, readJson<WebhookDelivery>)
  }

  /** The secret that signs the webhooks of the API key that asks. */
  secret({ signal }: CallOptions = {}): Promise<WebhookSecret> {
    return this.#transport.request({ path: '/webhooks/secret', signal }, readJson<WebhookSecret>)
  }

  /**
   * Replaces the secret; the one before it signs as well for a day. It is never tried again by itself: a second rotation would end
   * the secret that receivers know. After an error, read `secret` to see whether it took place.
   */
  rotateSecret({ signal }: CallOptions = {}): Promise<WebhookSecret> {
    const call = { method: 'POST', path: '/webhooks/secret/rotate', maxRetries: 0, signal } as const
    return this.#transport.request(call, readJson<WebhookSecret>)
  }

  /** Public keys of the Ed25519 signatures, for `verifyWebhook`. */
  keys({ signal }: CallOptions = {}): Promise<WebhookKeySet> {
    return this.#transport.request({ path: '/webhooks/keys', signal }, readJson<WebhookKeySet>)
  }
}
