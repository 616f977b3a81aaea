import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { ProblemError } from './problem.ts'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Host and port of an origin, and of the host as that origin's pages would name it. */
const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).host : undefined)

/** Whether a browser says that the page of another origin sent this. What no browser sent says nothing of the kind. */
const isForeign = ({ headers, host }: FastifyRequest, publicUrl: string | undefined): boolean => {
  const site = headers['sec-fetch-site']
  if (site === 'same-origin') return false
  if (site !== undefined && site !== 'none') return true
  const { origin } = headers
  if (origin === undefined) return false
  const from = hostOf(origin)
  const own = [hostOf(`${origin.split('//', 1)[0]}//${host}`), publicUrl === undefined ? undefined : hostOf(publicUrl)]
  return from === undefined || !own.includes(from)
}

/**
 * Refuses what pages of other origins have a browser send where no key is asked for: browsers send it without asking, and
 * the page need not be able to read the answer. Reading is another matter: without CORS a page sees nothing of an answer.
 */
export const createPageCheck =
  ({ corsOrigins, publicUrl }: Pick<Config, 'corsOrigins' | 'publicUrl'>): ((request: FastifyRequest) => void) =>
  (request) => {
    const { method, headers } = request
    // A page can read the answer only of a request with its origin, and only where that is allowed.
    if (SAFE_METHODS.has(method) && (corsOrigins !== '*' || headers.origin === undefined)) return
    if (!isForeign(request, publicUrl)) return
    if (corsOrigins !== '*' && corsOrigins.includes(headers.origin ?? '')) return
    const detail =
      'A web page of another origin sent this, without an API key. Send a key, or name the origin in CORS_ORIGINS; `*` is for pages with a key.'
    throw new ProblemError('origin_not_allowed', detail, { errors: [{ pointer: '/headers/origin', detail }] })
  }
