import { SAMPLE_BASE } from '@nextscale/openapi'
import { fastify, type FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { sendStaticContent, type StaticContent, toStaticContent } from '../../http/static-content.ts'
import { baseUrl, type UrlSettings } from '../../http/urls.ts'
import { createDocuments, withServer } from './document.ts'
import { ICON } from './icon.ts'
import { toTryOut } from './try-out.ts'

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

const SCRIPT = 'js/scalar.js'
const JAVASCRIPT = 'text/javascript; charset=utf-8'
/** Asked for anew each time, and answered 304 where it is the same. */
const REVALIDATED = 'no-cache'
/** Under an address that no other version has. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
const ICON_CACHING = 'public, max-age=86400'

export interface Reference {
  page: StaticContent
  script: StaticContent
}

const CONFIGURATION = {
  url: './openapi.json',
  pageTitle: 'Nextscale API',
  telemetry: false,
  withDefaultFonts: false,
  hideClientButton: true,
  // The contract brings samples of its own, which use the SDKs.
  hiddenClients: true,
  modelsSectionLabel: 'Schemas',
  // What the page reads is the contract with more for the page.
  documentDownloadType: 'none',
  authentication: { preferredSecurityScheme: 'apiKey' },
  persistAuth: false,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true }
} as const

/** The page and its script, four megabytes that are loaded and compressed for whoever opens it first. */
const openReference = async (): Promise<Reference> => {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const source = fastify()
  await source.register(scalar, { routePrefix: '/docs', configuration: CONFIGURATION })
  const [html, code] = await Promise.all(['/docs/', `/docs/${SCRIPT}`].map(async (url) => (await source.inject(url)).body))
  await source.close()
  const script = await toStaticContent(JAVASCRIPT, code ?? '')
  const text = (html ?? '')
    .replace(SCRIPT, `${SCRIPT}?v=${script.version}`)
    .replace('</head>', '<link rel="icon" href="../favicon.ico" type="image/svg+xml"></head>')
  return { page: await toStaticContent('text/html; charset=utf-8', text), script }
}

export interface DocsOptions {
  document: string
  urls: UrlSettings
  open?: () => Promise<Reference>
}

/** GET /docs, the reference of the contract, and what it loads. */
export const docs = fastifyPlugin(
  (app: FastifyInstance, { document, urls, open = openReference }: DocsOptions, done) => {
    let opening: Promise<Reference> | undefined
    const opened = (): Promise<Reference> =>
      (opening ??= open().catch((error: unknown) => {
        // Not kept: whoever asks next may be luckier.
        opening = undefined
        throw error
      }))
    const tried = JSON.stringify(toTryOut(JSON.parse(document)))
    const documentFor = createDocuments((base) => withServer(tried, base).replaceAll(SAMPLE_BASE, base))
    const icon = toStaticContent('image/svg+xml', ICON)
    // Relative, since a proxy may have taken a prefix off the path; only PUBLIC_URL knows of one without a slash after it.
    const reference = urls.publicUrl === undefined ? 'docs/' : `${urls.publicUrl}/docs/`
    for (const path of ['/', '/docs']) app.get(path, (_request, reply) => reply.redirect(reference))
    app.get('/docs/', async (request, reply) => {
      const { page } = await opened()
      return sendStaticContent(request, reply.header('content-security-policy', CONTENT_SECURITY_POLICY), page, REVALIDATED)
    })
    app.get<{ Querystring: { v?: string } }>(`/docs/${SCRIPT}`, async (request, reply) => {
      const { script } = await opened()
      return sendStaticContent(request, reply, script, request.query.v === script.version ? IMMUTABLE : REVALIDATED)
    })
    app.get('/docs/openapi.json', async (request, reply) =>
      sendStaticContent(request, reply, await documentFor(baseUrl(urls, request)), REVALIDATED)
    )
    app.get('/favicon.ico', async (request, reply) => sendStaticContent(request, reply, await icon, ICON_CACHING))
    done()
  },
  { name: 'docs', dependencies: ['problems'] }
)
