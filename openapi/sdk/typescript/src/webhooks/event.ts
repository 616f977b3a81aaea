import type { components } from '../generated/contract.ts'

type Webhooks = components['pathItems']

/**
 * What a webhook tells of, by its `type`. A newer server may send types that are not listed here: leave a `switch` over them a
 * default.
 */
export type WebhookEvent = {
  [T in keyof Webhooks]: NonNullable<Webhooks[T]['post']['requestBody']>['content']['application/json']
}[keyof Webhooks]

/** The event of a body that was signed, and so is what the server wrote; `undefined` where it is no event at all. */
export const parseEvent = (text: string): WebhookEvent | undefined => {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && 'type' in body && 'data' in body ? (body as WebhookEvent) : undefined
  } catch {
    return undefined
  }
}
