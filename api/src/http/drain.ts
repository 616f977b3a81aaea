import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

const SWEEP_MS = 25

/** Closing ends waits at once, and keep-alive connections as soon as the request on them is answered. */
export const drain = fastifyPlugin(
  (app: FastifyInstance, { closing }: { closing: AbortController }, done) => {
    let sweep: NodeJS.Timeout | undefined
    app.addHook('preClose', async () => {
      closing.abort()
      // Node closes what is idle when closing begins; what becomes idle later would hold the process for a minute.
      sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
    })
    app.addHook('onClose', async () => clearInterval(sweep))
    done()
  },
  { name: 'drain' }
)
