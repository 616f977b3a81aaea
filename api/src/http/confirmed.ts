import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Services } from '../services.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Waits until replicas have what the request has written. */
    confirm: (() => Promise<void>) | undefined
  }
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Has what a request changed confirmed by the replicas before it is answered as done. */
export const confirmed = fastifyPlugin(
  (app: FastifyInstance, { replication }: Pick<Services, 'replication'>, done) => {
    app.decorateRequest('confirm', undefined)
    if (replication) {
      app.addHook('onRequest', async (request) => {
        if (!READS.has(request.method)) request.confirm = replication.begin()
      })
      app.addHook('onSend', async (request, reply, payload) => {
        const { confirm } = request
        if (confirm === undefined || reply.statusCode >= 400) return
        request.confirm = undefined
        try {
          await confirm()
        } catch (error) {
          if (payload instanceof Readable) payload.destroy()
          throw error
        }
      })
    }
    done()
  },
  { name: 'confirmed' }
)
