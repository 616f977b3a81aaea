import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { sendStaticContent, type StaticContent, toStaticContent } from '../../http/static-content.ts'

/** The committed contract, as text. */
export const readDocument = (): Promise<string> =>
  readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')

/** GET /openapi.json */
export const documentRoute = (app: FastifyInstance, document: string): void => {
  let content: Promise<StaticContent> | undefined
  app.get('/openapi.json', async (request, reply) => {
    content ??= toStaticContent('application/json; charset=utf-8', document)
    return sendStaticContent(request, reply, await content, 'no-cache')
  })
}
