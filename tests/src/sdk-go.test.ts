import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Deployment, deploy } from './support/deployment.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SDK = join(ROOT, 'openapi', 'sdk', 'go')
const TIMEOUT_MS = 480_000

const go = (args: string[], env: Record<string, string> = {}) =>
  execFileSync('go', args, { cwd: SDK, encoding: 'utf8', timeout: TIMEOUT_MS, env: { ...process.env, ...env } })

/** Why the Go client cannot be tested here. */
const missing = (): string | undefined => {
  if (spawnSync('go', ['version']).status !== 0) return 'there is no Go here'
  const { status } = spawnSync('go', ['mod', 'download'], { cwd: SDK, timeout: TIMEOUT_MS })
  return status === 0 ? undefined : 'the modules of the Go client cannot be downloaded'
}

const reason = missing()

describe('the Go client', { skip: reason ?? false }, () => {
  let deployment: Deployment
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nextscale-go-'))
    deployment = await deploy()
  })

  after(async () => {
    await deployment.close()
    await rm(folder, { recursive: true })
  })

  it('compiles, and passes vet and gofmt', () => {
    go(['build', './...'])
    go(['vet', './...'])
    assert.equal(execFileSync('gofmt', ['-l', 'example'], { cwd: SDK, encoding: 'utf8' }), '')
  })

  it('asks for a picture, polls, and saves it: the example does', async () => {
    const picture = join(folder, 'fox.png')
    const printed = go(['run', './example', 'fox', picture], { NEXTSCALE_URL: deployment.baseUrl })
    assert.match(printed, /^gen_[a-z2-7]{26}: seed \d+, in /)
    assert.equal((await readFile(picture)).toString('latin1', 1, 4), 'PNG')
  })

  it('shows previews of the snapshot as those of events, each once, over connections that break', () => {
    go(['test', '-count=1', './example'])
  })

  it('follows the events in place of polling, and saves each preview: the example with -previews does', async () => {
    const picture = join(folder, 'followed.png')
    const printed = go(['run', './example', '-previews', 'fox', picture], { NEXTSCALE_URL: deployment.baseUrl })
    const scales = [...printed.matchAll(/^scale (\d+), in (.*)$/gm)].map(([, scale, path]) => ({ scale: Number(scale), path }))
    assert.equal(scales.length, 3, printed)
    assert.deepEqual(
      scales.map(({ scale }) => scale),
      scales.map(({ scale }) => scale).toSorted((a, b) => a - b)
    )
    for (const { path = '' } of scales) assert.equal((await readFile(path)).toString('latin1', 8, 12), 'WEBP')
    assert.match(printed, /^gen_[a-z2-7]{26}: seed \d+, in /m)
    assert.equal((await readFile(picture)).toString('latin1', 1, 4), 'PNG')
  })

  it('tells of a refusal by its code', () => {
    const env = { ...process.env, NEXTSCALE_URL: deployment.baseUrl }
    const { status, stderr } = spawnSync('go', ['run', './example', 'no such class', join(folder, 'none.png')], {
      cwd: SDK,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      env
    })
    assert.notEqual(status, 0)
    assert.match(stderr, /unknown_class: /)
  })
})
