import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { baseUrl, type UrlSettings } from '../../http/urls.ts'

/** The committed contract, as text. */
export const readDocument = (): Promise<string> =>
  readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')

/** The contract as text, with this server as the one to call: clients do not know what a path alone is relative to. */
export const withServer = (document: string, base: string): string =>
  document.replace(/("servers":\s*\[\s*\{\s*"url":\s*)"[^"]*"/, (_, before: string) => before + JSON.stringify(`${base}/v1`))

/** GET /openapi.json */
export const documentRoute = (app: FastifyInstance, document: string, urls: UrlSettings): void => {
  app.get('/openapi.json', { config: { isOpenToPages: true } }, (request, reply) => {
    reply.type('application/json; charset=utf-8').send(withServer(document, baseUrl(urls, request)))
  })
}
