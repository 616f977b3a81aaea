import { getGenerationEvents } from '@nextscale/openapi'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { createOutlook } from '../../generations/estimate.ts'
import { parsePosition } from '../../generations/event-position.ts'
import { follow } from '../../generations/follow.ts'
import { createSharedView } from '../../generations/shared-view.ts'
import { openEventStream } from '../../http/event-stream.ts'
import { type Caller, callerOf } from '../../http/caller.ts'
import { takeLastEventId } from '../../http/last-event-id.ts'
import { addOperation, type OperationHandler } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import type { Services } from '../../services.ts'

const RETRY_MS = 2000

const HEADERS = {
  'content-type': 'text/event-stream',
  // Proxies would gather events until there are enough to compress, or to hand on.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no'
}

const retryHint = (ms: number) => `retry: ${Math.round(ms)}\n\n`
/** Spread, so that the clients of a server that goes do not all come back in the same instant. */
const goodbye = () => retryHint(RETRY_MS * (0.5 + Math.random()))

/** A stream that a token has opened ends with it. */
const endOf = ({ pass }: Caller): AbortSignal[] =>
  pass === undefined ? [] : [AbortSignal.timeout(Math.max(0, pass.expiresAt - Date.now()))]

/** Hands the response over to the stream, with the headers that hooks have set. */
const openStream = (reply: FastifyReply, heartbeatMs: number, closing: AbortSignal) => {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
  return openEventStream(reply.raw, { headers: HEADERS, heartbeatMs, closing })
}

/** GET /generations/{id}/events */
export const getGenerationEventsRoute = (app: FastifyInstance, services: Services): void => {
  const { config, reader, runners, events, metrics, streams, closing } = services
  const view = createSharedView(reader, { ...services, outlook: createOutlook(runners) })
  const answer: OperationHandler<typeof getGenerationEvents> = async (request, reply) => {
    const { id } = request.params
    const caller = callerOf(request)
    const read = () => view.find(caller.owner, id)
    const after = parsePosition(id, request.headers['last-event-id'])
    // Watched before the first look, so that what happens after it wakes the stream.
    const watch = events.watch(id, 'every')
    const left: (() => void)[] = []
    try {
      const found = await read()
      // EventSource takes 204 as the word not to connect again; an empty stream would have it do so for ever.
      if (after?.ended) return await reply.code(204).send()
      if (request.method === 'HEAD') return await reply.headers(HEADERS).send('')
      left.push(await streams.enter(caller))
      left.push(metrics.countOpen('stream'))
      const base = baseUrl(config, request)
      const show = (state: typeof found) => view.show(state, base, caller.pass)
      const stream = openStream(reply, config.heartbeatMs, closing.signal)
      await stream.send(retryHint(RETRY_MS))
      const signal = AbortSignal.any([stream.closed, closing.signal, ...endOf(caller)])
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
      for (const leave of left.reverse()) leave()
    }
  }
  addOperation(app, getGenerationEvents, answer, { rearrange: takeLastEventId })
}
