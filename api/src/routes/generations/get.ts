import { getGeneration } from '@nextscale/openapi'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { find } from '../../generations/find.ts'
import { toGeneration } from '../../generations/resource.ts'
import { isTerminal } from '../../generations/settle.ts'
import { waitUntilTerminal } from '../../generations/wait.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

/** Runs some work under a signal that fires when the client is gone or the server is closing. */
const underSignal = async <T>(
  reply: FastifyReply,
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  const ended = new AbortController()
  const end = () => ended.abort()
  reply.raw.once('close', end)
  closing.addEventListener('abort', end, { once: true })
  if (closing.aborted) end()
  try {
    return await work(ended.signal)
  } finally {
    reply.raw.off('close', end)
    closing.removeEventListener('abort', end)
  }
}

/** GET /generations/{id} */
export const getGenerationRoute = (
  app: FastifyInstance,
  { config, reader, events, store, streamTokens, closing }: Services
): void =>
  addOperation(app, getGeneration, async (request, reply) => {
    const { id } = request.params
    const read = () => find(reader, OWNER, id)
    const timeoutMs = (request.query.wait ?? 0) * 1000
    const { snapshot, standing } =
      timeoutMs === 0
        ? await read()
        : await underSignal(reply, closing.signal, (signal) => waitUntilTerminal({ id, read, events, timeoutMs, signal }))
    if (!isTerminal(standing)) reply.header('retry-after', '1')
    return toGeneration(snapshot, standing, { store, streamTokens, base: baseUrl(config, request) })
  })
