import assert from 'node:assert/strict'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readCheckpoint } from '../checkpoint/read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'
import { GOLDEN_MODEL } from '../testing/folders.ts'
import { runModels } from '../testing/run-models.ts'
import { TINY_TRANSFORMER, writeTinyCheckpoint } from '../families/var/testing/tiny-checkpoint.ts'
import { type HeaderEntry, writeSafetensors } from '../testing/write-safetensors.ts'

const hasPartial = async (folder: string) =>
  (await readdir(folder).catch(() => [])).some((name) => /^\.\w+\.partial-\d+$/.test(name))

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129]
] as const) {
  test(`a checkpoint that is being written when ${signal} comes leaves nothing`, async (t) => {
    const cwd = await temporaryFolder(t)
    const stop = { signal, when: () => hasPartial(join(cwd, 'new/folders')) }
    const { status, stderr } = await runModels(['random', 'd16', 'new/folders/big'], { cwd, stop })
    assert.deepEqual([status, stderr], [code, 'nextscale models: stopped before it was done.\n'])
    assert.deepEqual(await readdir(cwd), [])
  })

  test(`a check ends at once when ${signal} comes, however busy it is`, async () => {
    // The sampler is being loaded then, which holds up everything else in the process.
    const stop = { signal, when: (stdout: string) => stdout.includes('\nvalues ') }
    const ended = await runModels(['check', GOLDEN_MODEL, '--precision', 'int8'], { cwd: GOLDEN_MODEL, stop })
    assert.deepEqual([ended.status, ended.signal, ended.stderr], [null, signal, ''])
    assert.doesNotMatch(ended.stdout, /one image/)
  })
}

test('a model that is being added when a signal comes is there as a whole or not at all', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeTinyCheckpoint(cwd)
  const path = join(cwd, 'big.safetensors')
  const tensors = [...(await readCheckpoint(join(cwd, 'var.pth'), CHECKPOINT_PARTS.transformer)).values()]
  const entries = tensors.map(({ name, dtype, shape }): [string, HeaderEntry] => [name, { dtype, shape: [...shape] }])
  await writeSafetensors(path, Object.fromEntries(entries))
  // Four gigabytes that take no room on disk and some seconds to hash.
  const bytes = await readFile(path)
  const headerBytes = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, unknown>
  const end = bytes.length - 8 - headerBytes
  header['unused'] = { dtype: 'U8', shape: [2 ** 32], data_offsets: [end, end + 2 ** 32] }
  const text = Buffer.from(JSON.stringify(header))
  await writeFile(path, Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(text.length)).buffer), text]))
  await truncate(path, 8 + text.length + end + 2 ** 32)
  const before = await readdir(cwd)
  const args = ['add', '--vae', 'vae.pth', '--var', 'big.safetensors', '--scales', TINY_TRANSFORMER.scales.join()]
  const stop = { signal: 'SIGTERM', when: () => hasPartial(join(cwd, 'models')) } as const
  const { status, stdout, stderr } = await runModels(args, { cwd, stop })
  assert.deepEqual([status, stdout, stderr], [143, '', 'nextscale models: stopped before it was done.\n'])
  assert.deepEqual(await readdir(cwd), before)
})
