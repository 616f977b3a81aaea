import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { changeEntry, copyModel } from './testing/change-model.ts'
import { SHIPPED_MODEL } from './testing/folders.ts'

const START = fileURLToPath(new URL('start.ts', import.meta.url))

const start = (env: Record<string, string>) => {
  const { status, stderr } = spawnSync(process.execPath, [START], { env: { ...env }, encoding: 'utf8', timeout: 20_000 })
  return { status, stderr }
}

test('a bad setting ends the start with one sentence and exit code 78, which says that starting again is of no use', () => {
  assert.deepEqual(start({ MAX_BATCH: 'many' }), {
    status: 78,
    stderr: 'gpu-runner: MAX_BATCH must be an integer from 1 to 256, not "many".\n'
  })
})

test('a model whose weights were changed ends the start with a sentence that names the file', async (t) => {
  const folder = await copyModel(t)
  const path = join(folder, 'transformer.safetensors')
  const bytes = await readFile(path)
  await writeFile(path, bytes.fill(1, bytes.length - 1))
  const { status, stderr } = start({ MODELS: folder })
  assert.equal(status, 78)
  assert.match(stderr, /^gpu-runner: .*transformer\.safetensors has sha256 .*\n$/)
})

test('a manifest that is a pipe ends the start at once', async (t) => {
  const folder = await copyModel(t)
  await rm(join(folder, 'manifest.json'))
  execFileSync('mkfifo', [join(folder, 'manifest.json')])
  const { status, stderr } = start({ MODELS: folder })
  assert.equal(status, 78)
  assert.match(stderr, /^gpu-runner: [^\n]+manifest\.json cannot be opened: it is not a regular file\.\n$/)
})

test('a weight of a type that only a graph notices ends the start with its file, name and type', async (t) => {
  const folder = await copyModel(t)
  await changeEntry(folder, 'transformer', 'head.bias', { dtype: 'I32', shape: [1_024] })
  const { status, stderr } = start({ MODELS: folder })
  const sentence = 'transformer.safetensors: tensor head.bias has type I32, expected F32, F16 or BF16.'
  assert.deepEqual([status, stderr], [78, `gpu-runner: ${sentence}\n`])
})

test('CUDA without its provider ends the start with a sentence that names the missing file', () => {
  const { status, stderr } = start({ EXECUTION_PROVIDER: 'cuda', MODELS: SHIPPED_MODEL })
  assert.equal(status, 78)
  assert.match(
    stderr,
    /^gpu-runner: EXECUTION_PROVIDER=cuda needs libonnxruntime_providers_shared\.so, which is not in [^\n]*\.\n$/
  )
})

test('two folders with one revision of one model are refused', () => {
  const { status, stderr } = start({ MODELS: `${SHIPPED_MODEL},${SHIPPED_MODEL}` })
  assert.equal(status, 78)
  assert.match(stderr, /two folders with revision f8220c2e1e3c of emoji-32/)
})

test('a directory that cannot be used is named with its setting', () => {
  const { status, stderr } = start({ OBJECT_DIR: '/dev/null/pictures', CACHE_DIR: 'none' })
  assert.equal(status, 78)
  assert.match(
    stderr,
    /^gpu-runner: OBJECT_DIR=\/dev\/null\/pictures cannot be used \(ENOTDIR[^\n]+set it to a directory[^\n]+\n$/
  )
})
