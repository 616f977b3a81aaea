/** Secrets that sign an owner's webhooks now, as `whsec_…`: the current one, and the one before it for a day. */
export type SigningSecrets = readonly [current: string, previous?: string]

export interface WebhookSecrets {
  /** Draws one the first time; at most a second old. */
  signing(owner: string): Promise<SigningSecrets>
}
