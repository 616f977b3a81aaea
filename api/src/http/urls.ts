import type { FastifyRequest } from 'fastify'

/** Characters of a host and port. Anything else in a Host header must not get into our URLs. */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

export interface UrlSettings {
  readonly publicUrl: string | undefined
  readonly host: string
  readonly port: number
}

const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host)

/** Absolute base of the URLs in an answer, without a closing slash: PUBLIC_URL, else the address the client used. */
export const baseUrl = (settings: UrlSettings, request: Pick<FastifyRequest, 'host'> & { protocol: string }): string => {
  if (settings.publicUrl !== undefined) return settings.publicUrl
  const protocol = request.protocol === 'https' ? 'https' : 'http'
  const host = HOST.test(request.host) ? request.host : `${bracketed(settings.host)}:${settings.port}`
  return `${protocol}://${host}`
}

/** Where a generation's events are, with a token that browsers can send, where there is one. */
export const eventsUrl = (generation: string, token: string | undefined): string =>
  `${generation}/events${token === undefined ? '' : `?token=${token}`}`

export const generationUrl = (base: string, id: string): string => `${base}/v1/generations/${id}`

export const deliveryUrl = (base: string, id: string): string => `${base}/v1/webhook-deliveries/${id}`
