import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bindingFolder, openOnDevice, whyNoCuda } from './cuda-failure.ts'

const folder = await mkdtemp(join(tmpdir(), 'nextscale-cuda-'))
after(() => rm(folder, { recursive: true }))

const SHARED = 'libonnxruntime_providers_shared.so'
const CUDA = 'libonnxruntime_providers_cuda.so'
const failed = new Error('OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library')

/** A shared object that needs another library than the one it was linked with. */
const needing = async (library: string): Promise<Buffer> => {
  const linked = 'libonnxruntime.so.1'
  assert.ok(library.length <= linked.length)
  const bytes = await readFile(join(bindingFolder(), 'onnxruntime_binding.node'))
  const named = Buffer.from(`${linked}\0`, 'latin1')
  assert.ok(bytes.includes(named))
  for (let at = bytes.indexOf(named); at !== -1; at = bytes.indexOf(named, at)) bytes.write(`${library}\0`, at, 'latin1')
  return bytes
}

test('a provider file that is not there is named, and where it was looked for', () => {
  assert.match(
    whyNoCuda(failed, folder) ?? '',
    new RegExp(`^EXECUTION_PROVIDER=cuda needs ${SHARED}, which is not in ${folder}: .*\\.$`)
  )
})

test('a library that the provider needs and the loader does not find is named', async () => {
  await copyFile(join(bindingFolder(), 'onnxruntime_binding.node'), join(folder, SHARED))
  await writeFile(join(folder, CUDA), await needing('libcublasLt.so.13'))
  assert.match(whyNoCuda(failed, folder) ?? '', /needs libcublasLt\.so\.13, which the loader does not find: install CUDA 13/)
  await rm(join(folder, CUDA))
  await writeFile(join(folder, CUDA), await needing('libcuda.so.1'))
  assert.match(whyNoCuda(failed, folder) ?? '', /needs libcuda\.so\.1 of NVIDIA's driver: give the process a GPU/)
})

test('a machine without a GPU, and one with an old driver, are told apart', () => {
  for (const [said, sentence] of [
    ['CUDA failure 100: no CUDA-capable device is detected ; GPU=0', /found no GPU: give the process one/],
    ['CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', /driver 580 or later/]
  ] as const)
    assert.match(whyNoCuda(new Error(said), folder) ?? '', sentence)
})

test('what has nothing to do with CUDA stays as it is', async () => {
  const broken = new Error('the graph is broken')
  await assert.rejects(
    openOnDevice('cpu', () => Promise.reject(broken)),
    broken
  )
  assert.equal(await openOnDevice('cpu', () => Promise.resolve(1)), 1)
})
