interface Operation {
  parameters?: object[]
  requestBody?: { content: Record<string, { examples?: object }> }
  responses: Record<string, { content?: Record<string, unknown> }>
}

interface Document {
  info: { description: string }
  paths: Record<string, Record<string, Operation>>
}

/** `Accept` as a parameter of its own: the page would ask for all types that there are, and then JSON is what comes. */
const ACCEPT = {
  name: 'Accept',
  in: 'header',
  description:
    '`image/png`, `image/webp` or `image/jpeg` answers with the picture, `application/json` at once with the generation.',
  schema: { type: 'string' },
  example: 'image/png'
}

const makesPictures = ({ responses }: Operation) => responses[202] !== undefined && 'image/*' in (responses[200]?.content ?? {})

const withAccept = (operation: Operation): Operation => {
  const examples = Object.keys(operation.requestBody?.content['application/json']?.examples ?? {})
  const disabled = Object.fromEntries([...examples, 'default'].map((name) => [name, { accept: true }]))
  const parameters = [...(operation.parameters ?? []), ACCEPT]
  return Object.assign({ ...operation, parameters }, { 'x-scalar-disable-parameters': { 'default-headers': disabled } })
}

/** The contract for the page that tries it out: what makes a picture is sent so that it shows one. */
export const toTryOut = (document: Document): Document => {
  const paths = Object.entries(document.paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [
        method,
        makesPictures(operation) ? withAccept(operation) : operation
      ])
    )
  ])
  const description = `${document.info.description} The contract is [openapi.json](../openapi.json).`
  return { ...document, info: { ...document.info, description }, paths: Object.fromEntries(paths) }
}
