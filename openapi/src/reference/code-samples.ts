import { EXAMPLE_ID } from '../examples/generation.ts'
import type { Operation } from '../operation.ts'

interface CodeSample {
  lang: 'curl' | 'TypeScript' | 'Python'
  label: string
  source: string
}

const BASE = 'http://localhost:8080'
const TYPESCRIPT = `import { Nextscale } from '@nextscale/sdk'

const nextscale = new Nextscale({ baseUrl: '${BASE}', apiKey: process.env.NEXTSCALE_API_KEY })
`
const PYTHON = `import os
from nextscale import Nextscale

nextscale = Nextscale("${BASE}", os.environ["NEXTSCALE_API_KEY"])
`

/** What the SDKs make of an operation, where they have a method for it. */
const SDK_CALLS: Readonly<Record<string, { typescript: string; python: string }>> = {
  createGeneration: {
    typescript: `const generation = await nextscale.generateAndWait({ class_name: 'red fox', seed: 7 })
console.log(generation.outputs[0].url)`,
    python: `generation = nextscale.generate_and_wait(class_name="red fox", seed=7)
print(generation.outputs[0].url)`
  },
  getGeneration: {
    typescript: `const generation = await nextscale.get('${EXAMPLE_ID}')`,
    python: `generation = nextscale.get("${EXAMPLE_ID}")`
  },
  getGenerationEvents: {
    typescript: `for await (const { event, data } of nextscale.events('${EXAMPLE_ID}')) console.log(event, data)`,
    python: `for event in nextscale.events("${EXAMPLE_ID}"):
    print(event.event, event.data)`
  },
  continueGeneration: {
    typescript: `const variation = await nextscale.continue('${EXAMPLE_ID}', { keep_scales: 4, seed: 8 })`,
    python: `variation = nextscale.continue_("${EXAMPLE_ID}", keep_scales=4, seed=8)`
  },
  cancelGeneration: {
    typescript: `await nextscale.cancel('${EXAMPLE_ID}')`,
    python: `nextscale.cancel("${EXAMPLE_ID}")`
  }
}

/** Values of path parameters by the parameter's name, or by the tag where an id may be of several things. */
const pathOf = ({ path, tag }: Operation) =>
  path.replace('{id}', tag === 'models' ? 'var-d16' : EXAMPLE_ID).replace('{file}', '0.png')

const curlOf = (operation: Operation, body: unknown): string => {
  const { method, scope, operationId } = operation
  const query = operationId === 'getObject' ? '?expires=1767272400&signature=2Jq0mVtqkY0b1l8n' : ''
  const words = [
    `curl ${operationId === 'getGenerationEvents' ? '-N ' : ''}${method === 'GET' ? '' : `-X ${method} `}'${BASE}/v1${pathOf(operation)}${query}'`
  ]
  if (scope !== null) words.push(`-H "Authorization: Bearer $NEXTSCALE_API_KEY"`)
  if (body !== undefined) words.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`)
  return words.join(' \\\n  ')
}

/** How to call an operation: with curl always, with the SDKs where they have a method for it. */
export const codeSamplesOf = (operation: Operation, body: unknown): CodeSample[] => {
  const sdk = SDK_CALLS[operation.operationId]
  const samples: CodeSample[] = [{ lang: 'curl', label: 'curl', source: curlOf(operation, body) }]
  if (!sdk) return samples
  return [
    ...samples,
    { lang: 'TypeScript', label: 'TypeScript', source: `${TYPESCRIPT}${sdk.typescript}\n` },
    { lang: 'Python', label: 'Python', source: `${PYTHON}${sdk.python}\n` }
  ]
}
