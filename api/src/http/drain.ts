import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Services } from '../services.ts'

const SWEEP_MS = 25

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes the server not ready, and every answer the last one on its connection, without closing anything yet. */
    announceStop: () => void
  }
}

/** Closing ends waits at once, and keep-alive connections as soon as the request on them is answered. */
export const drain = fastifyPlugin(
  (app: FastifyInstance, { stopping, closing }: Pick<Services, 'stopping' | 'closing'>, done) => {
    let sweep: NodeJS.Timeout | undefined
    app.decorate('announceStop', () => stopping.abort())
    app.addHook('onSend', (_request, reply, _payload, next) => {
      if (stopping.signal.aborted) reply.header('connection', 'close')
      next()
    })
    app.addHook('preClose', async () => {
      stopping.abort()
      closing.abort()
      // Node closes what is idle when closing begins; what becomes idle later would hold the process for a minute.
      sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
    })
    app.addHook('onClose', async () => clearInterval(sweep))
    done()
  },
  { name: 'drain' }
)
