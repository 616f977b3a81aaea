/** What an API key may do. `admin` includes the others. */
export const SCOPES = ['generate', 'read', 'webhooks', 'admin'] as const
export type Scope = (typeof SCOPES)[number]
