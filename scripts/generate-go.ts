import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Json, prepareForGo } from './sdk/prepare-for-go.ts'
import { printError } from '@nextscale/platform/terminal'

const OPENAPI = resolve(import.meta.dirname, '../openapi')
const GENERATOR = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2'

/** Writes the Go client to `target`. */
const generate = async (target: string): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-go-'))
  try {
    const document = JSON.parse(await readFile(join(OPENAPI, 'openapi.json'), 'utf8')) as Json
    const source = join(folder, 'openapi.json')
    await writeFile(source, JSON.stringify(prepareForGo(document)))
    const options = ['-package', 'nextscale', '-generate', 'types,client', '-o', target]
    const { status, error } = spawnSync('go', ['run', GENERATOR, ...options, source], { stdio: 'inherit' })
    if (error) printError(`Go is needed to generate its client: ${error.message}`)
    return status ?? 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

process.exitCode = await generate(resolve(process.argv[2] ?? join(OPENAPI, 'sdk', 'go', 'nextscale', 'client.gen.go')))
