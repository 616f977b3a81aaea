import { MIMEType } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { asError, checked } from './checked.ts'
import { escaped } from './field-errors.ts'
import { ProblemError } from './problem.ts'
import { rememberText } from './spelt-numbers.ts'

const MEDIA_TYPE = 'application/json'
const PROTOTYPE = '__proto__'
/** Arrays and objects within each other. The contract has three; whatever handles a body may go as deep as this on the stack. */
const MAX_DEPTH = 32

const shown = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

const unsupported = (detail: string, name: string, headers?: Readonly<Record<string, string>>) =>
  new ProblemError('unsupported_media_type', detail, {
    errors: [{ pointer: `/headers/${name}`, detail }],
    ...(headers && { headers })
  })

const readType = (header: string | undefined): MIMEType | undefined => {
  try {
    return header === undefined ? undefined : new MIMEType(header)
  } catch {
    return undefined
  }
}

const isIdentity = (encodings: string) => encodings.split(',').every((encoding) => /^\s*(?:identity)?\s*$/i.test(encoding))

/** Throws unless the headers say that the body is what this server reads. */
const checkHeaders = ({ headers }: FastifyRequest): void => {
  // What nearly every client sends.
  if (headers['content-type'] === MEDIA_TYPE && headers['content-encoding'] === undefined) return
  const type = readType(headers['content-type'])
  if (type?.essence !== MEDIA_TYPE) {
    throw unsupported(`Send the body as JSON, with the header \`Content-Type: ${MEDIA_TYPE}\`.`, 'content-type')
  }
  const encodings = headers['content-encoding'] ?? ''
  if (!isIdentity(encodings)) {
    const detail = `The body has the \`Content-Encoding\` ${shown(encodings)}. Send it as it is, without that header.`
    throw unsupported(detail, 'content-encoding', { 'accept-encoding': 'identity' })
  }
  const charset = type.params.get('charset') ?? 'utf-8'
  if (!/^'?utf-?8'?$/i.test(charset)) {
    throw unsupported(`The body has the charset ${shown(charset)}. Send it in UTF-8.`, 'content-type')
  }
}

/** Leaves out a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

const decode = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    const detail = 'The body is not UTF-8: some of its bytes are no character in that encoding. Send it in UTF-8.'
    throw new ProblemError('malformed_json', detail, { cause })
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be parsed'
    throw new ProblemError('malformed_json', `The body is not valid JSON: ${reason}. Check quotes, commas and braces.`, { cause })
  }
}

interface Fault {
  /** Names that lead to the field. */
  path: string[]
  detail: string
}

/**
 * The first field that no operation takes, whatever it holds: one too deep, or a prototype, which is refused rather than
 * cleaned since nobody sends it by mistake.
 */
const findFault = (value: unknown, levels = MAX_DEPTH): Fault | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  if (levels === 0) return { path: [], detail: `Nested in more than ${MAX_DEPTH} others. Send it less deep.` }
  for (const [name, field] of Object.entries(value)) {
    if (name === PROTOTYPE) return { path: [name], detail: `A field named "${PROTOTYPE}" is not taken. Remove it.` }
    const fault = findFault(field, levels - 1)
    if (fault) return { ...fault, path: [name, ...fault.path] }
  }
  return undefined
}

const parse = (bytes: Uint8Array): unknown => {
  const text = decode(bytes)
  if (text.trim() === '') return undefined
  const body = parseJson(text)
  const fault = findFault(body)
  if (fault === undefined) {
    rememberText(body, text)
    return body
  }
  const pointer = fault.path.map((name) => `/${escaped(name)}`).join('')
  throw new ProblemError('invalid_request', fault.detail, { errors: [{ pointer, detail: fault.detail }] })
}

/** What is known to have a body before it is read is refused before it is read. Bodies of GET are not looked at. */
const checkEarly = (request: FastifyRequest): void => {
  const { headers, routeOptions } = request
  const { operation } = routeOptions.config
  if (!operation || operation.method === 'GET') return
  if (Number(headers['content-length']) > 0) return checkHeaders(request)
  // Fastify refuses a type it cannot read before anyone can see whether there is a body.
  if ('content-type' in headers && readType(headers['content-type']) === undefined) delete headers['content-type']
}

/** Reads bodies: JSON in UTF-8. An empty one counts as none, since many clients send a type regardless. */
export const jsonBody = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    app.removeAllContentTypeParsers()
    // The body is not read before the last of these hooks.
    app.addHook('onRequest', checked(checkEarly))
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, finish) => {
      try {
        if (body.length > 0) checkHeaders(request)
        finish(null, body.length > 0 ? parse(Buffer.from(body)) : undefined)
      } catch (error) {
        finish(asError(error))
      }
    })
    done()
  },
  { name: 'json-body' }
)
