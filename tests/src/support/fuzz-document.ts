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
export interface FuzzDocument {
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: {
      GenerationEvent: { anyOf: { properties: { data: Json } }[] }
      GenerateRequest: { properties: { output: Record<string, Json> } }
      ContinueRequest: { properties: { output: Record<string, Json> }; dependentSchemas?: Json }
    }
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
  const { GenerationEvent, GenerateRequest, ContinueRequest } = document.components.schemas
  ContinueRequest.dependentSchemas = { seed: { required: ['keep_scales'], properties: { keep_scales: { type: 'integer' } } } }
  for (const { properties } of [GenerateRequest, ContinueRequest]) {
    properties.output['dependentSchemas'] = {
      quality: { required: ['format'], properties: { format: { enum: ['webp', 'jpeg'] } } }
    }
  }
  for (const { properties } of GenerationEvent.anyOf) {
    properties.data = { type: 'string', contentMediaType: 'application/json', contentSchema: properties.data }
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
