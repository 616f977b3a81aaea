import type { WebhookSecret } from '@nextscale/openapi'
import type { WebhookSecretView } from './secrets.ts'

/** A secret as its owner sees it. */
export const presentSecret = ({ secret, createdAt, previous }: WebhookSecretView): WebhookSecret => ({
  secret,
  created_at: new Date(createdAt).toISOString(),
  previous_expires_at: previous && new Date(previous.expiresAt).toISOString()
})
