import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { loggedText, loggedUrl } from '@nextscale/platform/observe'
import { COMMON_HEADERS } from './common-headers.ts'
import { foreseen, PROBLEM_MEDIA_TYPE, ProblemError, toProblem } from './problem.ts'

/** Errors Fastify itself raises about a request, in our words. */
const FASTIFY_ERRORS: Record<string, (error: FastifyError, bodyLimitBytes: number) => ProblemError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (_error, limit) =>
    new ProblemError('body_too_large', `The body is larger than ${limit} bytes. Send a smaller one.`),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new ProblemError('invalid_request', 'The body is not as long as Content-Length says. Send the whole body.'),
  FST_ERR_BAD_URL: () =>
    new ProblemError('invalid_request', 'The path is not percent-encoding of UTF-8: write a literal "%" as "%25".'),
  FST_ERR_MAX_PARAM_LENGTH: () => new ProblemError('route_not_found', 'A part of the path is longer than any id. Check the URL.')
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'code' in error && 'statusCode' in error

const asProblem = (error: unknown, bodyLimitBytes: number): ProblemError => {
  const known = foreseen(error) ?? (isFastifyError(error) ? FASTIFY_ERRORS[error.code]?.(error, bodyLimitBytes) : undefined)
  if (known) return known
  return new ProblemError('internal_error', 'Something broke on our side. Try again; if it stays, quote the request id.', {
    cause: error
  })
}

const messageOf = (cause: unknown) => (cause instanceof Error ? loggedText(cause.message) : undefined)

/** What broke here is logged with its stack. What others do to us is one line, since an outage brings many. */
const logProblem = (request: FastifyRequest, problem: ProblemError): void => {
  const { code, cause, message } = problem
  const line = { request_id: request.id, method: request.method, url: loggedUrl(request.url), code }
  // A probe is asked all the time, and its refusal is its answer.
  const level = request.routeOptions.config.operation?.tag === 'service' ? 'debug' : 'info'
  if (code === 'internal_error') request.log.error({ ...line, err: cause }, message)
  else request.log[level]({ ...line, reason: messageOf(cause) }, message)
}

/** What metrics count whoever left before the request had arrived under; nobody is sent it. */
const CLIENT_LEFT = 499

/** Headers of the answer that a problem takes the place of. */
const REPRESENTATION_HEADERS = ['etag', 'content-disposition', 'content-length'] as const

const clearHeaders = (reply: FastifyReply): void => {
  for (const name of REPRESENTATION_HEADERS) {
    reply.removeHeader(name)
    // Those of a stream are set by the time it breaks.
    if (!reply.raw.headersSent) reply.raw.removeHeader(name)
  }
}

/** Answers with a problem. The one place where errors become responses. */
export const sendProblem = (
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  bodyLimitBytes: number
): FastifyReply => {
  if (request.raw.errored) {
    request.log.debug({ request_id: request.id, url: loggedUrl(request.url) }, 'The client left before its request had arrived')
    return reply.code(CLIENT_LEFT).send()
  }
  const problem = asProblem(error, bodyLimitBytes)
  const body = toProblem(problem, request.id)
  if (problem.status >= 500) logProblem(request, problem)
  clearHeaders(reply)
  return reply
    .code(problem.status)
    .headers({ ...COMMON_HEADERS, ...problem.headers, 'x-request-id': request.id, 'cache-control': 'no-store' })
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(body))
}

/** Whatever goes wrong is an RFC 9457 problem. */
export const problems = fastifyPlugin(
  (app: FastifyInstance, { bodyLimitBytes }: { bodyLimitBytes: number }, done) => {
    app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error, bodyLimitBytes))
    done()
  },
  { name: 'problems' }
)
