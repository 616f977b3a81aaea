import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { CLIENTS, DOCUMENT } from './generators.ts'
import { GO_CLIENT, hasGo, makeGo } from './go.ts'
import { ROOT } from './run-tool.ts'

const MARK = /^(?:#|\/\/|\/?\s*\*) .*(?:do not edit|auto-generated)/im
const HEAD_BYTES = 500
const IS_SOURCE = /\.(?:ts|mjs|py|go)$/
const IS_INSTALLED = /(?:^|\/)(?:node_modules|dist)\//

it('knows every generated file of the SDKs', async () => {
  const folder = 'openapi/sdk'
  const paths = (await readdir(join(ROOT, folder), { recursive: true })).filter((path) => IS_SOURCE.test(path))
  const sources = paths.filter((path) => !IS_INSTALLED.test(path)).map((path) => `${folder}/${path}`)
  const heads = await Promise.all(
    sources.map(async (path) => [path, (await readFile(join(ROOT, path), 'utf8')).slice(0, HEAD_BYTES)] as const)
  )
  const marked = heads.filter(([, head]) => MARK.test(head)).map(([path]) => path)
  const targets = [DOCUMENT, ...CLIENTS].map(({ target }) => target)
  for (const { name, target } of CLIENTS)
    assert.ok(
      marked.some((path) => path.startsWith(target)),
      name
    )
  assert.deepEqual(
    marked.filter((path) => !targets.some((target) => path === target || path.startsWith(`${target}/`))),
    []
  )
})

// The other clients have this test in their own suites.
it(
  'the Go client is what the contract makes it (npm run generate writes it)',
  { skip: !(await hasGo()) && 'there is no Go here' },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nextscale-go-'))
    try {
      const target = join(folder, 'client.gen.go')
      assert.deepEqual(await makeGo(target), { isMade: true })
      assert.equal(await readFile(target, 'utf8'), await readFile(join(ROOT, GO_CLIENT), 'utf8'))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
)
