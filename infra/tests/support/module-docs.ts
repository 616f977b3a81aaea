import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { inherited } from './config.ts'
import { TERRAFORM } from './terraform.ts'

const run = promisify(execFile)
const VERSION = 'v0.19.0'
const MODULE = 'github.com/terraform-docs/terraform-docs'
const TOOLS = resolve(TERRAFORM, '../../node_modules/.cache/nextscale')
const PROGRAM = join(TOOLS, `terraform-docs-${VERSION}`)
const BUILD_MS = 5 * 60_000
const WRITE_MS = 60_000

/** Builds it with Go: `go install` asks the proxy for more versions than the one that is wanted, and this does not. */
const build = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'terraform-docs-'))
  try {
    await writeFile(join(folder, 'go.mod'), `module tools\n\ngo 1.22\n\nrequire ${MODULE} ${VERSION}\n`)
    await writeFile(join(folder, 'tools.go'), `//go:build tools\n\npackage tools\n\nimport _ "${MODULE}"\n`)
    await run('go', ['build', '-mod=mod', '-o', join(folder, 'program'), MODULE], {
      cwd: folder,
      timeout: BUILD_MS,
      env: inherited()
    })
    await mkdir(TOOLS, { recursive: true })
    await cp(join(folder, 'program'), `${PROGRAM}.new`)
    await rename(`${PROGRAM}.new`, PROGRAM)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))

/** Why there are no tables: neither the program nor what it is built with. */
export const noDocs: string | false = existsSync(PROGRAM)
  ? false
  : await build().then(
      () => false,
      (error: unknown) => `there is no terraform-docs ${VERSION}, and it cannot be built: ${reasonOf(error)}`
    )

const OPTIONS = ['--show', 'inputs,outputs', '--sort-by', 'required', '--anchor=false', '--html=false', '--escape=false']

/** READMEs of the modules as they should be: with tables of what the module takes and gives, and formatted as all Markdown is. */
export const moduleReadmes = async (): Promise<Map<string, string>> => {
  const copy = await mkdtemp(join(tmpdir(), 'nextscale-docs-'))
  try {
    await cp(join(TERRAFORM, 'modules'), copy, { recursive: true })
    const names = await readdir(copy)
    for (const name of names)
      await run(PROGRAM, ['markdown', 'table', ...OPTIONS, '--output-file', 'README.md', join(copy, name)], { timeout: WRITE_MS })
    const root = resolve(TERRAFORM, '../..')
    await cp(join(root, '.oxfmtrc.json'), join(copy, '.oxfmtrc.json'))
    await run(join(root, 'node_modules/.bin/oxfmt'), ['.'], { cwd: copy, timeout: WRITE_MS })
    return new Map(
      await Promise.all(names.map(async (name) => [name, await readFile(join(copy, name, 'README.md'), 'utf8')] as const))
    )
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

/** Writes them: `node infra/tests/support/module-docs.ts`. */
if (import.meta.main)
  for (const [name, text] of await moduleReadmes()) await writeFile(join(TERRAFORM, 'modules', name, 'README.md'), text)
