import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

const WORKSPACE = join(import.meta.dirname, '..')
const ROOT = join(WORKSPACE, '../../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
/** Programs that look at packages, and the oldest TypeScript that is promised: they have a lock of their own. */
const CHECKS = join(WORKSPACE, 'checks')
const TIMEOUT_MS = 120_000
const run = promisify(execFile)

const MISTAKE = `
import { Nextscale } from '@nextscale/sdk'

const client = new Nextscale({ baseUrl: 'http://localhost:8080' })
export const make = async () => {
  const made = await client.get('gen_1')
  const delivery = await client.webhooks.delivery('whd_1')
  return [made.absent, made.outputs.map(({ absent }) => absent), made.input.schedule?.absent, delivery.absent]
}
`

const CONSUMER = `
import { Nextscale, NextscaleError, verifyWebhook, type Generation } from '@nextscale/sdk'

const client = new Nextscale({ baseUrl: 'http://localhost:8080', fetch: (url, init) => fetch(url, init) })
export const make = async (): Promise<Uint8Array[]> => {
  const made: Generation = await client.generateAndWait({ class_name: 'fox', output: { format: 'webp' } })
  for await (const event of client.events(made.id)) if (event.event === 'progress') console.log(event.data.scale)
  return Promise.all(made.outputs.map((output) => client.download(output)))
}
export const code = (error: unknown) => (error instanceof NextscaleError && error.code === 'unknown_class' ? error.errors : [])
export const verified = verifyWebhook('', new Headers(), 'whsec_')
// @ts-expect-error there is no such field
void client.generate({ promt: 'a fox' })
`
const PROGRAM = `
import { Nextscale } from '@nextscale/sdk'
const client = new Nextscale({ baseUrl: 'http://x', fetch: async () => Response.json({ id: 'gen_1' }) })
console.log(process.version, (await client.generate({})).id)
`

/** The TypeScript that the reference shows, operation by operation. */
const readSamples = async (): Promise<string[]> => {
  const { paths } = JSON.parse(await readFile(join(ROOT, 'openapi/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { 'x-codeSamples'?: { lang: string; source: string }[] }>>
  }
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const samples = operations.flatMap((operation) => operation['x-codeSamples'] ?? [])
  return samples.filter(({ lang }) => lang === 'TypeScript').map(({ source }) => source)
}

/** Installs what packages are checked with, where it is not yet. */
const installChecks = async (): Promise<void> => {
  if (existsSync(join(CHECKS, 'node_modules/.package-lock.json'))) return
  const args = ['ci', '--workspaces=false', '--ignore-scripts', '--no-audit', '--no-fund']
  await run('npm', args, { cwd: CHECKS, timeout: TIMEOUT_MS })
}

/** Every Node there is: the pinned one and, where it is another, the system's. */
const nodes = [process.execPath, '/usr/bin/node', '/usr/local/bin/node']

const version = async (node: string): Promise<string | undefined> =>
  (await run(node, ['--version']).catch(() => undefined))?.stdout.trim()

describe('the packed package', () => {
  let folder: string
  let tarball: string
  let paths: string[]
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nextscale-sdk-'))
    const { stdout } = await run('npm', ['run', '--silent', 'package', '--', '--json', '--pack-destination', folder], {
      cwd: WORKSPACE
    })
    const [packed] = Object.values(
      JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Record<string, { filename: string; files: { path: string }[] }>
    )
    assert.ok(packed)
    paths = packed.files.map(({ path }) => path)
    tarball = join(folder, packed.filename)
    await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "type": "module" }')
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder })
  })
  after(() => rm(folder, { recursive: true }))

  it('holds what is public alone: what is built, the types of the library, and no part of the repository', async () => {
    assert.ok(paths.includes('dist/index.d.ts') && paths.includes('dist/cli/start.js'))
    const foreign = paths.filter((path) => !/^(dist\/.+\.(js|d\.ts)|LICENSE|README\.md|package\.json)$/.test(path))
    const own = paths.filter((path) => /test|^dist\/cli\/.*\.d\.ts$/.test(path))
    assert.deepEqual([foreign, own], [[], []])
    const installed = join(folder, 'node_modules/@nextscale/sdk/package.json')
    const manifest = JSON.parse(await readFile(installed, 'utf8')) as Record<string, object>
    assert.deepEqual(Object.keys(manifest['exports'] ?? {}), ['.', './package.json'])
    assert.deepEqual(manifest['peerDependencies'], { typescript: '>=5.0' })
    for (const name of ['scripts', 'dependencies', 'devDependencies']) assert.equal(manifest[name], undefined)
  })

  it('is a package as publint and attw want it', async () => {
    await installChecks()
    const programs = join(CHECKS, 'node_modules/.bin')
    await run(join(programs, 'publint'), ['run', tarball, '--strict'], { cwd: folder, timeout: TIMEOUT_MS })
    await run(join(programs, 'attw'), [tarball, '--profile', 'esm-only'], { cwd: folder, timeout: TIMEOUT_MS })
  })

  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler']
  ]) {
    it(`has types that TypeScript 5.0 reads to the last, by ${moduleResolution}`, async () => {
      await installChecks()
      const oldest = join(CHECKS, 'node_modules/typescript')
      assert.match((JSON.parse(await readFile(join(oldest, 'package.json'), 'utf8')) as { version: string }).version, /^5\.0\./)
      const lib = ['es2022', 'dom', 'dom.iterable']
      const types = { types: [], lib, target: 'es2022', skipLibCheck: false }
      const compilerOptions = { ...types, module, moduleResolution, noEmit: true, strict: true, exactOptionalPropertyTypes: true }
      const project = join(folder, `${moduleResolution}.json`)
      await writeFile(project, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
      await writeFile(join(folder, 'consumer.ts'), CONSUMER)
      await run(process.execPath, [join(oldest, 'bin/tsc'), '-p', project], { cwd: folder, timeout: TIMEOUT_MS })
    })
  }

  it('runs under every Node there is', async () => {
    await writeFile(join(folder, 'program.mjs'), PROGRAM)
    for (const node of nodes) {
      const expected = await version(node)
      if (expected === undefined) continue
      const { stdout } = await run(node, ['program.mjs'], { cwd: folder })
      assert.equal(stdout, `${expected} gen_1\n`)
    }
  })

  it('has the command', async () => {
    const { stdout } = await run(join(folder, 'node_modules/.bin/nextscale'), ['--help'], { cwd: folder })
    assert.match(stdout, /^nextscale generate/m)
    const { stdout: version } = await run(join(folder, 'node_modules/.bin/nextscale'), ['--version'], { cwd: folder })
    assert.match(version, /^nextscale \d+\.\d+\.\d+\n$/)
  })

  const settings = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', 'consumer.ts']
  it('has types for browsers', async () => {
    await writeFile(join(folder, 'consumer.ts'), CONSUMER)
    await run(process.execPath, [TSC, ...settings, '--lib', 'es2022,dom', '--types', ''], { cwd: folder })
  })
  it('calls its types by their names in what the compiler says', async () => {
    await writeFile(join(folder, 'mistake.ts'), MISTAKE)
    const options = [...settings.slice(0, -1), '--lib', 'es2022,dom', '--types', '', 'mistake.ts']
    const failed = await run(process.execPath, [TSC, ...options], { cwd: folder }).catch((error: { stdout: string }) => error)
    const said = [...failed.stdout.matchAll(/does not exist on type '(.+)'\./g)].map(([, type]) => type)
    assert.deepEqual(said, ['Generation', 'GenerationOutput', 'GenerationInputSchedule', 'WebhookDelivery'])
  })
  it('has types for Node', async () => {
    await writeFile(join(folder, 'consumer.ts'), CONSUMER)
    await symlink(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'))
    await symlink(join(ROOT, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'))
    await run(process.execPath, [TSC, ...settings, '--lib', 'es2022', '--types', 'node'], { cwd: folder })
    // Here, since they read the key from Node's environment.
    const samples = await readSamples()
    assert.ok(samples.length >= 12)
    const files = await Promise.all(
      samples.map(async (source, index) => {
        await writeFile(join(folder, `sample-${index}.ts`), source)
        return `sample-${index}.ts`
      })
    )
    const strictly = [...settings.slice(0, -1), '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--types', 'node']
    await run(process.execPath, [TSC, ...strictly, ...files], { cwd: folder })
  })
})
