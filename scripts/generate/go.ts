import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MADE, type Made } from './generator.ts'
import { type Json, prepareForGo } from './prepare-for-go.ts'
import { ROOT, runTool } from './run-tool.ts'

const DOCUMENT = join(ROOT, 'openapi', 'openapi.json')
const GENERATOR = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2'

/** From the root. */
export const GO_CLIENT = 'openapi/sdk/go/nextscale/client.gen.go'

export const hasGo = async (): Promise<boolean> => {
  try {
    await runTool('go version')
    return true
  } catch {
    return false
  }
}

/** Writes the Go client to `target`. */
export const makeGo = async (target: string): Promise<Made> => {
  if (!(await hasGo())) return { isMade: false, because: 'there is no Go here (https://go.dev/doc/install)' }
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-go-'))
  try {
    const source = join(folder, 'openapi.json')
    await writeFile(source, JSON.stringify(prepareForGo(JSON.parse(await readFile(DOCUMENT, 'utf8')) as Json)))
    const line = `go run ${GENERATOR} -package nextscale -generate types,client -o "$TARGET" "$SOURCE"`
    await runTool(line, { env: { TARGET: target, SOURCE: source } })
    return MADE
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
