import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { checked } from './checked.ts'
import { ProblemError } from './problem.ts'

const refusal = (detail: string, pointer: string) =>
  new ProblemError('invalid_request', detail, { errors: [{ pointer, detail }] })

const checkHost = ({ raw }: FastifyRequest): void => {
  const count = raw.rawHeaders.filter((name, at) => at % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host').length
  // HTTP/1.0 knew none.
  if (count === 1 || (count === 0 && raw.httpVersion === '1.0')) return
  throw refusal(`A request has one Host header, and this one has ${count === 0 ? 'none' : count}. Send one.`, '/headers/host')
}

const checkExpect = ({ headers: { expect } }: FastifyRequest): void => {
  if (expect === undefined || expect.toLowerCase() === '100-continue') return
  const detail = 'The one expectation that is known here is `Expect: 100-continue`. Leave the header out.'
  throw new ProblemError('expectation_failed', detail, { errors: [{ pointer: '/headers/expect', detail }] })
}

/** Node reads no other, and finds out only when the request is on its way. */
const checkTransferEncoding = ({ headers }: FastifyRequest): void => {
  const encoding = headers['transfer-encoding']
  if (encoding === undefined || encoding.toLowerCase() === 'chunked') return
  throw refusal(
    'The one transfer encoding that is known here is `chunked`. Send the body in it, or with its length.',
    '/headers/transfer-encoding'
  )
}

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** A path that cannot be decoded has matched no route before this. */
const checkQuery = ({ url }: FastifyRequest): void => {
  const begin = url.indexOf('?')
  if (begin < 0 || isDecodable(url.slice(begin))) return
  throw refusal('The query is not percent-encoding of UTF-8: write a literal "%" as "%25".', '/query')
}

/** Refuses what Node and Fastify would take, or answer without a word, though it is no sound HTTP request. */
export const wellFormed = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    // Node would answer these itself.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
    const checks = [checkHost, checkTransferEncoding, checkExpect, checkQuery]
    for (const check of checks) app.addHook('onRequest', checked(check))
    done()
  },
  { name: 'well-formed', dependencies: ['problems'] }
)
