import type { FastifyReply } from 'fastify'

/** Runs some work under a signal that fires when the client is gone or the server is closing. */
export const underSignal = async <T>(
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
