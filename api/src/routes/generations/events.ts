import { getGenerationEvents } from '@nextscale/openapi'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { parsePosition } from '../../generations/event-position.ts'
import { find } from '../../generations/find.ts'
import { follow } from '../../generations/follow.ts'
import { toGeneration } from '../../generations/resource.ts'
import type { StreamTokens } from '../../generations/stream-tokens.ts'
import { openEventStream } from '../../http/event-stream.ts'
import { addOperation } from '../../http/operation.ts'
import { ProblemError } from '../../http/problem.ts'
import { baseUrl } from '../../http/urls.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

const RETRY_MS = 2000

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Some proxies would gather events until there are enough of them.
  'x-accel-buffering': 'no'
}

const retryHint = (ms: number) => `retry: ${Math.round(ms)}\n\n`
/** Spread, so that the clients of a server that goes do not all come back in the same instant. */
const goodbye = () => retryHint(RETRY_MS * (0.5 + Math.random()))

const ownerOf = async (tokens: StreamTokens, token: string, id: string): Promise<string> => {
  const owner = await tokens.verify(token, id)
  if (owner !== undefined) return owner
  const detail =
    'The token of this link is for another generation, or has expired. Read the generation again: urls.events has a new one.'
  throw new ProblemError('unauthorized', detail, {
    errors: [{ pointer: '/query/token', detail }],
    headers: { 'www-authenticate': 'Bearer' }
  })
}

/** Hands the response over to the stream, with the headers that hooks have set. */
const openStream = (reply: FastifyReply, heartbeatMs: number, closing: AbortSignal) => {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
  return openEventStream(reply.raw, { headers: HEADERS, heartbeatMs, closing })
}

/** GET /generations/{id}/events */
export const getGenerationEventsRoute = (app: FastifyInstance, services: Services): void => {
  const { config, reader, events, streamTokens, streamSlots, closing } = services
  addOperation(app, getGenerationEvents, async (request, reply) => {
    const { id } = request.params
    // Any page may open the link: the token is what lets it in, and there are no cookies.
    reply.header('access-control-allow-origin', '*')
    const { token } = request.query
    const owner = token === undefined ? OWNER : await ownerOf(streamTokens, token, id)
    const read = () => find(reader, owner, id)
    const after = parsePosition(id, request.headers['last-event-id'])
    // Watched before the first look, so that what happens after it wakes the stream.
    const watch = events.watch(id, 'every')
    let leave = () => {}
    try {
      const found = await read()
      // EventSource takes 204 as the word not to connect again; an empty stream would have it do so for ever.
      if (after?.ended) return await reply.code(204).send()
      if (request.method === 'HEAD') return await reply.headers(HEADERS).send('')
      // Limits on open streams are applied here, before the answer begins.
      leave = streamSlots.enter()
      const context = { ...services, base: baseUrl(config, request) }
      const show = ({ snapshot, standing }: typeof found) => toGeneration(snapshot, standing, context)
      const stream = openStream(reply, config.heartbeatMs, closing.signal)
      await stream.send(retryHint(RETRY_MS))
      const signal = AbortSignal.any([stream.closed, closing.signal])
      try {
        await follow({ id, found, after, stream, watch, read, show, signal })
      } catch (error) {
        // The answer has begun, so there is no problem to send; the client comes back and goes on.
        request.log.error({ err: error, request_id: request.id, generation: id }, 'an event stream broke')
      }
      stream.end(goodbye())
      return reply
    } finally {
      watch.stop()
      leave()
    }
  })
}
