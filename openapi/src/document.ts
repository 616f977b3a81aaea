import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import fastify, { type FastifySchema } from 'fastify'
import type { TSchema } from 'typebox'
import { allResponses, bodiesOf, type Operation, type ResponseSpec } from './operation.ts'
import { operations } from './operations/index.ts'
import { illustrate } from './reference/illustrate.ts'
import { describeWebhooks, WEBHOOK_TAG } from './reference/describe-webhooks.ts'
import { WEBHOOK_EVENT_BODIES } from './schemas/webhook-event.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Schemas with an `$id`, found anywhere inside a schema, by id. */
const collectNamed = (schema: Json, found: Map<string, Json>): void => {
  if (Array.isArray(schema)) return schema.forEach((item) => collectNamed(item, found))
  if (schema === null || typeof schema !== 'object') return
  if (typeof schema['$id'] === 'string') found.set(schema['$id'], schema)
  Object.values(schema).forEach((value) => collectNamed(value, found))
}

/** The schema with every named schema inside it replaced by a reference, which what is said of it beside goes with. */
const withReferences = (schema: Json, isRoot = false): Json => {
  if (Array.isArray(schema)) return schema.map((item) => withReferences(item))
  if (schema === null || typeof schema !== 'object') return schema
  if (!isRoot && typeof schema['$id'] === 'string') return { $ref: `${schema['$id']}#` }
  const { allOf, ...rest } = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withReferences(value)]))
  const [named] = Array.isArray(allOf) ? allOf : []
  return typeof named === 'object' && !Array.isArray(named) ? { ...named, ...rest } : rest
}

const plain = (schema: TSchema): Json => JSON.parse(JSON.stringify(schema)) as Json

/** For a part of the document that the swagger plugin takes as it is. */
const withComponents = (schema: Json, isRoot = false): { $id?: string } =>
  JSON.parse(JSON.stringify(withReferences(schema, isRoot)), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? `#/components/schemas/${value.slice(0, -1)}` : value
  ) as object

const contentOf = (response: ResponseSpec) =>
  Object.fromEntries(
    Object.entries(bodiesOf(response)).map(([type, schema]) => [type, { schema: withReferences(plain(schema)) }])
  )

const responseSchemas = (operation: Operation) =>
  Object.fromEntries(
    Object.entries(allResponses(operation)).map(([status, response]) => [
      status,
      {
        description: response.description,
        ...(response.headers &&
          Object.keys(response.headers).length > 0 && {
            headers: Object.fromEntries(
              Object.entries(response.headers).map(([name, header]) => [
                name,
                { ...header.schema, description: header.description }
              ])
            )
          }),
        ...(response.schema ? { content: contentOf(response) } : { type: 'null' })
      }
    ])
  )

/** Who may call an operation, as OpenAPI says it: any one of the listed ways. */
const securityOf = ({ scope, takesStreamToken = false }: Operation): Record<string, string[]>[] => {
  if (scope === null) return []
  return [{ apiKey: [] }, ...(takesStreamToken ? [{ streamToken: [] }] : [])]
}

const describe = ({ description, scope }: Operation): { description?: string } => {
  const needed = scope === null ? undefined : `Needs a key with the scope \`${scope}\`.`
  const text = [description, needed].filter(Boolean).join(' ')
  return text === '' ? {} : { description: text }
}

const routeSchema = (operation: Operation): FastifySchema => ({
  ...(operation.params && { params: plain(operation.params) }),
  ...(operation.query && { querystring: plain(operation.query) }),
  ...(operation.headers && { headers: plain(operation.headers) }),
  ...(operation.body && { body: withReferences(plain(operation.body)) }),
  response: responseSchemas(operation),
  operationId: operation.operationId,
  tags: [operation.tag],
  summary: operation.summary,
  security: securityOf(operation),
  ...describe(operation)
})

const version = async (): Promise<string> => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}

const SECURITY_SCHEMES = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, made with `nextscale keys create`. A server on loopback without any key asks for none.'
  },
  streamToken: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'Part of `urls.events`: reads the events of that one generation, since browsers send no headers with them.'
  }
} as const

const tag = (name: Operation['tag'] | typeof WEBHOOK_TAG, title: string, description: string) => ({
  name,
  'x-displayName': title,
  description
})

const TAGS = [
  tag('generations', 'Generations', 'Ask for pictures, follow them, fetch them.'),
  tag('models', 'Models', 'What can be asked for.'),
  tag('webhooks', 'Webhooks', 'Signing secrets, and the log of what was sent.'),
  tag(WEBHOOK_TAG, 'Webhook events', 'What is sent to receivers.'),
  tag('objects', 'Objects', 'Stored pictures and tokens.'),
  tag('service', 'Service', 'Capacity, probes and metrics.')
]

/** Every schema with an `$id`, by that. */
const namedSchemas = (): Map<string, Json> => {
  const named = new Map<string, Json>()
  for (const operation of operations) {
    const bodies = Object.values(allResponses(operation)).flatMap((response) => Object.values(bodiesOf(response)))
    for (const schema of [operation.body, ...bodies]) if (schema) collectNamed(plain(schema), named)
  }
  for (const [, schema] of WEBHOOK_EVENT_BODIES) collectNamed(plain(schema), named)
  return named
}

/** The components of the document. (The swagger plugin would drop what is said beside a reference.) */
const componentsOf = (named: ReadonlyMap<string, Json>) =>
  Object.fromEntries(
    [...named].map(([name, schema]) => {
      const { $id: _, ...component } = withComponents(schema, true)
      return [name, component]
    })
  )

/** Builds the OpenAPI 3.1 document from the operations. */
export const buildDocument = async () => {
  const app = fastify()
  await app.register(swagger, {
    convertConstToEnum: false,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => (typeof json['$id'] === 'string' ? json['$id'] : `def-${index}`)
    },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Nextscale',
        version: await version(),
        description: 'Image generation with VAR models: next-scale prediction, coarse to fine.',
        contact: { name: 'Nextscale' },
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
      },
      servers: [{ url: '/v1' }],
      tags: TAGS,
      components: { securitySchemes: SECURITY_SCHEMES }
    }
  })
  // Nothing is asked of it: the routes are there to be described.
  app.setValidatorCompiler(() => () => true)
  const named = namedSchemas()
  for (const schema of named.values()) app.addSchema(withReferences(schema, true))
  for (const operation of operations) {
    const url = operation.path.replace(/\{(\w+)\}/g, ':$1')
    app.route({ method: operation.method, url, schema: routeSchema(operation), handler: () => undefined })
  }
  await app.ready()
  const document = app.swagger()
  await app.close()
  const pathItems = describeWebhooks((schema) => withComponents(plain(schema)))
  const components = { securitySchemes: SECURITY_SCHEMES, schemas: componentsOf(named), pathItems }
  const webhooks = Object.fromEntries(Object.keys(pathItems).map((type) => [type, { $ref: `#/components/pathItems/${type}` }]))
  return illustrate({ ...document, components, webhooks }, operations)
}

/** The document as text, as it is committed in `openapi.json`. */
export const renderDocument = async (): Promise<string> => `${JSON.stringify(await buildDocument(), null, 2)}\n`
