import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'

/** The committed contract, as text. */
export const readDocument = (): Promise<string> =>
  readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')

/** GET /openapi.json */
export const documentRoute = (app: FastifyInstance, document: string): void => {
  app.get('/openapi.json', (_request, reply) => {
    reply.type('application/json; charset=utf-8').send(document)
  })
}
