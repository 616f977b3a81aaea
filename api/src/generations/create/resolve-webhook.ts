import { type QueuedWebhook, TERMINAL_WEBHOOK_EVENTS, type WebhookRequest } from '@nextscale/openapi'
import type { FastifyRequest } from 'fastify'
import { EgressRefusal } from '../../egress/egress.ts'
import { ProblemError } from '../../http/problem.ts'
import { baseUrl } from '../../http/urls.ts'
import type { WithoutNulls } from '../../http/without-nulls.ts'
import type { Services } from '../../services.ts'

/** Throws a problem at the field unless events may be sent to its URL, as far as is known now. */
export const requireWebhookUrl = async (
  { egress, closing }: Pick<Services, 'egress' | 'closing'>,
  url: string,
  pointer: string
): Promise<void> => {
  try {
    await egress.check(url, closing.signal)
  } catch (error) {
    if (!(error instanceof EgressRefusal)) throw error
    const { message: detail } = error
    throw new ProblemError('webhook_url_refused', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] })
  }
}

/** Whom to tell, as it is put into the queue; null for nobody. */
export const resolveWebhook = async (
  services: Pick<Services, 'egress' | 'closing' | 'config'>,
  request: Pick<FastifyRequest, 'host' | 'protocol'>,
  webhook: WithoutNulls<WebhookRequest> | undefined
): Promise<QueuedWebhook | null> => {
  if (webhook === undefined) return null
  const { url, events = [] } = webhook
  await requireWebhookUrl(services, url, '/webhook/url')
  return { url, events: events.length > 0 ? events : [...TERMINAL_WEBHOOK_EVENTS], base: baseUrl(services.config, request) }
}
