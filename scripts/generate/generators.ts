import { join } from 'node:path'
import { type Generator, MADE } from './generator.ts'
import { GO_CLIENT, makeGo } from './go.ts'
import { makePython } from './python.ts'
import { ROOT, runTool } from './run-tool.ts'

/** Makes `openapi.json`, which everything else is made from. */
export const DOCUMENT: Generator = {
  name: 'document',
  target: 'openapi/openapi.json',
  make: async () => {
    await runTool('node openapi/src/write-document.ts')
    return MADE
  }
}

const TYPESCRIPT: Generator = {
  name: 'typescript',
  target: 'openapi/sdk/typescript/src/generated',
  make: async () => {
    const cwd = join(ROOT, 'openapi', 'sdk', 'typescript', 'generator')
    await runTool('npm ci --workspaces=false --ignore-scripts --no-audit --no-fund && npm run generate --workspaces=false', {
      cwd
    })
    return MADE
  }
}

const PYTHON: Generator = { name: 'python', target: 'openapi/sdk/python/src/nextscale/_generated', make: makePython }

const GO: Generator = { name: 'go', target: GO_CLIENT, make: () => makeGo(join(ROOT, GO_CLIENT)) }

/** What is made from `openapi.json`. */
export const CLIENTS: readonly Generator[] = [TYPESCRIPT, PYTHON, GO]
