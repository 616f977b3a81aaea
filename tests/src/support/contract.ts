import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

interface ResponseObject {
  content?: Record<string, { schema: object }>
}
interface OperationObject {
  responses: Record<string, ResponseObject>
}
interface Document {
  paths: Record<string, Record<string, OperationObject>>
}

const text = await readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')
const document = JSON.parse(text) as Document

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(document, 'openapi.json')

const pointer = (parts: readonly string[]) =>
  parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')

const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({
    path,
    method,
    operation,
    matches: new RegExp(`^(/v1)?${path.replace(/\{\w+\}/g, '[^/]+')}$`)
  }))
)

export interface SeenResponse {
  method: string
  /** Path without query. */
  path: string
  status: number
  contentType: string
  body: unknown
}

/**
 * Holds a response against `openapi.json`: its status must be documented, its media type listed, its body valid.
 * Requests that match no operation (unknown routes and methods) must answer with a problem.
 */
export const assertInContract = ({ method, path, status, contentType, body }: SeenResponse): void => {
  const route = routes.find((candidate) => candidate.method === method.toLowerCase() && candidate.matches.test(path))
  const where = `${method} ${path} -> ${status}`
  if (!route) {
    assert.match(contentType, /^application\/problem\+json/, where)
    return assertProblem(body, where)
  }
  const response = route.operation.responses[String(status)]
  assert.ok(response, `${where} is not documented: ${JSON.stringify(body)}`)
  const [mediaType] = contentType.split(';')
  const media = Object.keys(response.content ?? {}).find(
    (listed) => listed === mediaType || listed === mediaType?.replace(/\/.*/, '/*')
  )
  if (!response.content) return assert.equal(contentType, '', `${where} has no body`)
  assert.ok(media, `${where} has the media type ${contentType}`)
  if (!media.endsWith('json')) return
  const place = ['paths', route.path, route.method, 'responses', String(status), 'content', media, 'schema']
  assertValid(ajv.compile({ $ref: `openapi.json#/${pointer(place)}` }), body, where)
}

/** Holds a body against what the contract says of problems. */
export const assertProblem = (body: unknown, where = 'a problem'): void =>
  assertValid(ajv.compile({ $ref: 'openapi.json#/components/schemas/Problem' }), body, where)

const assertValid = (validate: ReturnType<typeof ajv.compile>, body: unknown, where: string): void => {
  assert.ok(validate(body), `${where}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`)
}
