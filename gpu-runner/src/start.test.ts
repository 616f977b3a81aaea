import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SHIPPED_MODEL, temporaryFolder } from './testing/folders.ts'

const START = fileURLToPath(new URL('start.ts', import.meta.url))

const start = (env: Record<string, string>) => {
  const { status, stderr } = spawnSync(process.execPath, [START], { env: { ...env }, encoding: 'utf8', timeout: 20_000 })
  return { status, stderr }
}

test('a bad setting ends the start with one sentence and exit code 1', () => {
  assert.deepEqual(start({ MAX_BATCH: 'many' }), {
    status: 1,
    stderr: 'gpu-runner: MAX_BATCH must be an integer from 1 to 256, not "many".\n'
  })
})

test('a model whose weights were changed ends the start with a sentence that names the file', async (t) => {
  const folder = await temporaryFolder(t)
  await cp(SHIPPED_MODEL, folder, { recursive: true })
  await writeFile(join(folder, 'transformer.safetensors'), 'x', { flag: 'a' })
  const { status, stderr } = start({ MODELS: folder })
  assert.equal(status, 1)
  assert.match(stderr, /^gpu-runner: .*transformer\.safetensors has sha256 .*\n$/)
})

test('two folders with one revision of one model are refused', () => {
  const { status, stderr } = start({ MODELS: `${SHIPPED_MODEL},${SHIPPED_MODEL}` })
  assert.equal(status, 1)
  assert.match(stderr, /two folders with revision f8220c2e1e3c of emoji-32/)
})
