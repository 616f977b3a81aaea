import { SAMPLE_BASE } from '@nextscale/openapi'
import { fastify, type FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { baseUrl, type UrlSettings } from '../../http/urls.ts'
import { withServer } from './document.ts'

/** The page is made of what this server serves; should its script ask for anything else, the browser refuses. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** A server of its own for the reference, so that its four megabytes are loaded by whoever opens it first. */
const openReference = async (document: string): Promise<FastifyInstance> => {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const reference = fastify()
  await reference.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      content: document,
      pageTitle: 'Nextscale API',
      telemetry: false,
      withDefaultFonts: false,
      hideClientButton: true,
      // The contract brings samples of its own, which use the SDKs.
      hiddenClients: true,
      authentication: { preferredSecurityScheme: 'apiKey' },
      persistAuth: false,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true }
    }
  })
  await reference.ready()
  return reference
}

/** The contract with this server in its samples, and as the one that is tried. */
const atBase = (document: string, base: string) => withServer(document, base).replaceAll(SAMPLE_BASE, base)

export interface DocsOptions {
  document: string
  urls: UrlSettings
  open?: (document: string) => Promise<FastifyInstance>
}

/** GET /docs, the reference of the contract, and what it loads. Its samples call this server by the address it was asked at. */
export const docs = fastifyPlugin(
  (app: FastifyInstance, { document, urls, open = openReference }: DocsOptions, done) => {
    let opening: Promise<FastifyInstance> | undefined
    const reopen = (error: unknown): never => {
      // Not kept: whoever asks next may be luckier, and closing must not fail because of it.
      opening = undefined
      throw error
    }
    // Relative, since a proxy may have taken a prefix off the path; only PUBLIC_URL knows of one without a slash after it.
    const page = urls.publicUrl === undefined ? 'docs/' : `${urls.publicUrl}/docs/`
    for (const path of ['/', '/docs']) app.get(path, (_request, reply) => reply.redirect(page))
    app.get('/docs/*', async (request, reply) => {
      opening ??= open(document).catch(reopen)
      const reference = await opening
      const { statusCode, headers, rawPayload } = await reference.inject({ method: 'GET', url: request.url })
      if (statusCode !== 200) return reply.callNotFound()
      const isDocument = headers['content-type']?.toString().includes('json') === true
      return reply
        .headers({
          'content-type': headers['content-type'] ?? 'application/octet-stream',
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'cache-control': isDocument ? 'no-cache' : 'public, max-age=3600',
          'x-content-type-options': 'nosniff'
        })
        .send(isDocument ? atBase(rawPayload.toString(), baseUrl(urls, request)) : rawPayload)
    })
    app.addHook('onClose', async () => {
      const reference = await opening?.catch(() => undefined)
      await reference?.close()
    })
    done()
  },
  { name: 'docs', dependencies: ['problems'] }
)
