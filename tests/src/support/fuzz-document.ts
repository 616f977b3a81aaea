import { readFile } from 'node:fs/promises'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
interface Parameter {
  name: string
  in: string
  example?: Json
  examples?: Record<string, { value: Json }>
}
interface Operation {
  operationId: string
  security?: object[]
  responses: Record<string, object>
  parameters?: Parameter[]
}
interface Schema {
  anyOf?: { $ref: string }[]
  properties?: Record<string, Json>
  dependentSchemas?: Record<string, Json>
}
export interface FuzzDocument {
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
  }
}

/** Values of parameters that fit each other, by the operation’s id. */
export type RealParameters = Record<string, Record<string, Json>[]>

const withExamples = (parameter: Parameter, sets: readonly Record<string, Json>[]): void => {
  const values = sets.flatMap((set, at) =>
    parameter.name in set ? [[`real-${at}`, { value: set[parameter.name] ?? null }]] : []
  )
  if (values.length === 0) return
  delete parameter.example
  parameter.examples = Object.fromEntries(values) as Record<string, { value: Json }>
}

/** What holds where the field is given, and no `null`. */
const whereGiven = (field: string, schema: Record<string, Json>) => ({
  [field]: { anyOf: [{ properties: { [field]: { type: 'null' } } }, schema] }
})

const schemaNamed = ({ components }: FuzzDocument, name: string): Schema => {
  const schema = components.schemas[name.split('/').at(-1) ?? '']
  if (!schema) throw new Error(`The contract has no ${name}`)
  return schema
}

/**
 * `openapi.json` with parameters that exist at the service as its examples. The data of events are text in a stream, whose
 * JSON has the schema that the contract gives: it says what an event is once parsed, and Schemathesis reads the stream. Likewise with what it says in words of two fields.
 */
export const fuzzDocument = async (real: RealParameters): Promise<FuzzDocument> => {
  const text = await readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')
  const document = JSON.parse(text) as FuzzDocument
  for (const operation of Object.values(document.paths).flatMap((item) => Object.values(item))) {
    for (const parameter of operation.parameters ?? []) withExamples(parameter, real[operation.operationId] ?? [])
  }
  const isInteger = { required: ['keep_scales'], properties: { keep_scales: { type: 'integer' } } }
  schemaNamed(document, 'ContinueRequest').dependentSchemas = whereGiven('seed', isInteger)
  const hasQuality = { required: ['format'], properties: { format: { enum: ['webp', 'jpeg', 'jpg'] } } }
  for (const name of ['GenerateRequestOutput', 'ContinueRequestOutput'])
    schemaNamed(document, name).dependentSchemas = whereGiven('quality', hasQuality)
  for (const { $ref } of schemaNamed(document, 'GenerationEvent').anyOf ?? []) {
    const { properties = {} } = schemaNamed(document, $ref)
    properties['data'] = { type: 'string', contentMediaType: 'application/json', contentSchema: properties['data'] ?? {} }
  }
  return document
}

/** `operation status` of everything an operation may answer to who does all right, and to who has no key. */
export const statedAnswers = ({ paths }: FuzzDocument): string[] =>
  Object.values(paths)
    .flatMap((item) => Object.values(item))
    .flatMap(({ operationId, security = [], responses }) =>
      Object.keys(responses)
        .filter((status) => Number(status) < 400 || (status === '401' && security.length > 0))
        .map((status) => `${operationId} ${status}`)
    )
