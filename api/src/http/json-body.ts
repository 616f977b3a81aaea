import fastifyPlugin from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { escaped } from './field-errors.ts'
import { ProblemError } from './problem.ts'
import { rememberText } from './spelt-numbers.ts'

/** The text with escaped ASCII characters read, since a key may be spelt with them. */
const unescaped = (text: string) =>
  text.includes('\\u00')
    ? text.replaceAll(/\\u00([0-7][0-9a-f])/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    : text

const PROTOTYPE = '__proto__'

/** JSON that hides a prototype is refused rather than cleaned: nobody sends it by mistake. */
const poisoned = (text: string) => /"__proto__"\s*:/.test(unescaped(text))

/** Where the prototype lies, which is a field like any other once parsed. No recursion: bodies may be as deep as they are long. */
const pointerOfPrototype = (body: unknown): string => {
  const open: [string, unknown][] = [['', body]]
  for (const [place, value] of open) {
    if (typeof value !== 'object' || value === null) continue
    for (const [name, field] of Object.entries(value)) {
      const pointer = `${place}/${escaped(name)}`
      if (name === PROTOTYPE) return pointer
      open.push([pointer, field])
    }
  }
  return ''
}

const parse = (text: string): unknown => {
  if (text.trim() === '') return undefined
  const body = parseJson(text)
  rememberText(body, text)
  if (!poisoned(text)) return body
  const detail = `A field named "${PROTOTYPE}" is not taken. Remove it.`
  throw new ProblemError('invalid_request', detail, { errors: [{ pointer: pointerOfPrototype(body), detail }] })
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be parsed'
    throw new ProblemError('malformed_json', `The body is not valid JSON: ${reason}. Check quotes, commas and braces.`, { cause })
  }
}

/** The only media type bodies may have. An empty body counts as none, since many clients send the header regardless. */
export const jsonBody = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, finish) => {
      try {
        finish(null, parse(String(body)))
      } catch (error) {
        finish(error instanceof Error ? error : new Error('The body could not be parsed', { cause: error }))
      }
    })
    done()
  },
  { name: 'json-body' }
)
