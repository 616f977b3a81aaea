import { fastify, type FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

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
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true }
    }
  })
  await reference.ready()
  return reference
}

/** GET /docs, the reference of the contract, and what it loads. */
export const docs = fastifyPlugin(
  (app: FastifyInstance, { document }: { document: string }, done) => {
    let opening: Promise<FastifyInstance> | undefined
    app.get('/', (_request, reply) => {
      reply.redirect('/docs/')
    })
    app.get('/docs', (_request, reply) => {
      reply.redirect('/docs/')
    })
    app.get('/docs/*', async (request, reply) => {
      opening ??= openReference(document)
      const reference = await opening
      const { statusCode, headers, rawPayload } = await reference.inject({ method: 'GET', url: request.url })
      if (statusCode !== 200) return reply.callNotFound()
      return reply
        .headers({
          'content-type': headers['content-type'] ?? 'application/octet-stream',
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'cache-control': 'public, max-age=3600',
          'x-content-type-options': 'nosniff'
        })
        .send(rawPayload)
    })
    app.addHook('onClose', async () => {
      await (await opening)?.close()
    })
    done()
  },
  { name: 'docs', dependencies: ['problems'] }
)
