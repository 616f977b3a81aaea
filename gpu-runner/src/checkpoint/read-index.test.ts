import assert from 'node:assert/strict'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { ModelError } from '../errors.ts'
import { measureWork } from '../testing/measure-work.ts'
import { type HeaderEntry, writeSafetensors } from '../testing/write-safetensors.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'
import { writePth } from './write-pth.ts'

const one = { dtype: 'F32', shape: [1] } as const
const entry = { dtype: one.dtype, shape: [...one.shape] }
const FIRST = 'model-00001-of-00002.safetensors'
const SECOND = 'model-00002-of-00002.safetensors'

/** Tensors a and b in the first shard, c in the second, and an index that says so unless changed. */
const sharded = async (t: TestContext, index: unknown = { weight_map: { a: FIRST, b: FIRST, c: SECOND } }) => {
  const folder = await temporaryFolder(t)
  await writeSafetensors(join(folder, FIRST), { a: entry, b: entry })
  await writeSafetensors(join(folder, SECOND), { c: entry })
  const path = join(folder, 'model.safetensors.index.json')
  await writeFile(path, typeof index === 'string' ? index : JSON.stringify(index))
  return { folder, path }
}

const refuses = (path: string, sentence: RegExp) =>
  assert.rejects(readCheckpoint(path, CHECKPOINT_PARTS.transformer), (error: unknown) => {
    assert.ok(error instanceof ModelError, String(error))
    assert.match(error.message, sentence)
    return true
  })

test('a checkpoint in shards is read: each tensor from the file the index names', async (t) => {
  const { folder, path } = await sharded(t)
  const tensors = await readCheckpoint(path, CHECKPOINT_PARTS.transformer)
  assert.deepEqual(
    [...tensors.values()].map(({ name, file }) => [name, file]),
    [
      ['a', join(folder, FIRST)],
      ['b', join(folder, FIRST)],
      ['c', join(folder, SECOND)]
    ]
  )
})

test('shards may be .pth files, and tensors the index does not name are left out', async (t) => {
  const { folder, path } = await sharded(t, { metadata: { total_size: 4 }, weight_map: { a: 'x.pth' } })
  await writePth(join(folder, 'x.pth'), [
    { name: 'a', ...one, values: [new Uint8Array(4)] },
    { name: 'b', ...one, values: [new Uint8Array(4)] }
  ])
  assert.deepEqual([...(await readCheckpoint(path, CHECKPOINT_PARTS.transformer)).keys()], ['a'])
})

const refused: Record<string, [unknown, RegExp]> = {
  'a tensor that is not in its shard': [{ weight_map: { a: FIRST, d: SECOND } }, /tensor d is not in model-00002/],
  'a tensor in another shard': [
    { weight_map: { a: FIRST, c: FIRST, b: SECOND } },
    /tensor b is in model-00001.*but the index says model-00002/
  ],
  'a missing shard': [{ weight_map: { a: 'gone.safetensors' } }, /gone\.safetensors cannot be opened: there is no such file/],
  'a shard outside the folder': [
    { weight_map: { a: '../x.safetensors' } },
    /shard \.\.\/x\.safetensors: it must be the name of a file/
  ],
  'an absolute shard': [{ weight_map: { a: '/etc/passwd' } }, /it must be the name of a file beside the index/],
  'an index of indices': [{ weight_map: { a: 'model.safetensors.index.json' } }, /it must be the name of a file/],
  'no map': [{ metadata: {} }, /it has no weight_map/],
  'a map of something else': [{ weight_map: { a: 1 } }, /it has no weight_map/],
  'a map with a line break before something else': [{ weight_map: { 'a\nb': { x: 1 } } }, /it has no weight_map/],
  'a tensor twice': [`{"weight_map":{"a":"${FIRST}","a":"${SECOND}"}}`, /is not valid JSON: it has the name a twice\.$/],
  'a byte order mark': [`\ufeff{"weight_map":{"a":"${FIRST}"}}`, /is not valid JSON: it begins with a byte order mark/],
  'an empty map': [{ weight_map: {} }, /has no tensors/],
  'no JSON': ['{', /is not valid JSON/],
  'thousands of shards': [
    { weight_map: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`t${i}`, `s${i}`])) },
    /names 2000 shards/
  ]
}
for (const [kind, [index, sentence]] of Object.entries(refused)) {
  test(`${kind} is refused in one sentence`, async (t) => {
    await refuses((await sharded(t, index)).path, sentence)
  })
}

test('shards that describe more tensors than a model has are refused before they are read', async (t) => {
  const folder = await temporaryFolder(t)
  const shards = Array.from({ length: 20 }, (_, i) => `s${i}.safetensors`)
  for (const [i, shard] of shards.entries()) {
    const names = Array.from({ length: 10_000 }, (_, tensor) => [`s${i}.t${tensor}`, { dtype: one.dtype, shape: [0] }])
    await writeSafetensors(join(folder, shard), Object.fromEntries(names) as Record<string, HeaderEntry>)
  }
  const { size } = await stat(join(folder, 's0.safetensors'))
  const path = join(folder, 'x.index.json')
  await writeFile(path, JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, i) => [`s${i}.t0`, shard])) }))
  const sentence =
    /s\d+\.safetensors is refused: its header has \d+ bytes, and the tensors of a model may take 4194304 to describe in all/
  const { bytesRead } = await measureWork(() => refuses(path, sentence))
  assert.ok(bytesRead < 4 * 2 ** 20 + size, `${bytesRead} bytes were read of ${20 * size}`)
})

test('a tensor in two shards, and a shard that is no checkpoint, are refused', async (t) => {
  const { folder, path } = await sharded(t)
  await writeSafetensors(join(folder, SECOND), { c: entry, a: entry })
  await refuses(path, /tensor a is both in model-00001.* and in model-00002/)
  await writeFile(join(folder, SECOND), 'text')
  await refuses(path, /model-00002-of-00002\.safetensors is neither/)
  await rm(join(folder, SECOND))
  await refuses(path, /model-00002-of-00002\.safetensors cannot be opened/)
})
