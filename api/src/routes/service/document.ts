import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { sendStaticContent, type StaticContent, toStaticContent } from '../../http/static-content.ts'
import { baseUrl, type UrlSettings } from '../../http/urls.ts'

/** The committed contract, as text. */
export const readDocument = (): Promise<string> =>
  readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')

/** The contract as text, with this server as the one to call: clients do not know what a path alone is relative to. */
export const withServer = (document: string, base: string): string =>
  document.replace(/("servers":\s*\[\s*\{\s*"url":\s*)"[^"]*"/, (_, before: string) => before + JSON.stringify(`${base}/v1`))

/** Addresses the server was asked at, for which a document is kept: whoever asks may name any. */
const MAX_BASES = 8

/** What `write` makes of a document for the address of the server that a request was made to, kept for the next. */
export const createDocuments = (write: (base: string) => string): ((base: string) => Promise<StaticContent>) => {
  const made = new Map<string, Promise<StaticContent>>()
  return (base) => {
    const content = made.get(base) ?? toStaticContent('application/json; charset=utf-8', write(base))
    made.set(base, content)
    for (const oldest of made.keys()) if (made.size > MAX_BASES) made.delete(oldest)
    return content
  }
}

/** GET /openapi.json */
export const documentRoute = (app: FastifyInstance, document: string, urls: UrlSettings): void => {
  const documentFor = createDocuments((base) => withServer(document, base))
  app.get('/openapi.json', { config: { isOpenToPages: true } }, async (request, reply) =>
    sendStaticContent(request, reply, await documentFor(baseUrl(urls, request)), 'no-cache')
  )
}
