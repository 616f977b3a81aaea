import assert from 'node:assert/strict'
import { access, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { crc32 } from 'node:zlib'
import { openFile } from './open-file.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'
import { readTensorBytes } from './read-safetensors.ts'
import { type WrittenTensor, writePth } from './write-pth.ts'
import { readZipDirectory } from './zip.ts'

const bytes = (length: number, first = 0) => Uint8Array.from({ length }, (_, i) => first + i)

async function* later(...chunks: Uint8Array[]) {
  yield* chunks
}

const TENSORS: readonly WrittenTensor[] = [
  { name: 'word_embed.weight', dtype: 'F32', shape: [2, 3], values: [bytes(10), bytes(14, 10)] },
  { name: 'half', dtype: 'F16', shape: [3], values: later(bytes(4), bytes(2, 4)) },
  { name: 'brain', dtype: 'BF16', shape: [1, 1, 2], values: [bytes(4)] },
  { name: 'levels', dtype: 'I64', shape: [2], values: [bytes(16)] },
  { name: 'none', dtype: 'F32', shape: [0, 4], values: [] },
  { name: 'scalar', dtype: 'F32', shape: [], values: [bytes(4)] }
]
const fresh = () => TENSORS.map((tensor) => (tensor.name === 'half' ? { ...tensor, values: later(bytes(6)) } : tensor))

for (const zip64 of [false, true]) {
  test(`what is written ${zip64 ? 'with 64-bit records ' : ''}is read back: names, types, shapes, values`, async (t) => {
    const path = join(await temporaryFolder(t), 'x.pth')
    await writePth(path, fresh(), { zip64 })
    const tensors = await readCheckpoint(path, CHECKPOINT_PARTS.transformer)
    assert.deepEqual(
      [...tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      TENSORS.map(({ name, dtype, shape }) => ({ name, dtype, shape }))
    )
    for (const { name, sizeBytes, offset } of tensors.values()) {
      assert.deepEqual([...(await readTensorBytes(tensors.get(name) ?? assert.fail()))], [...bytes(sizeBytes)], name)
      assert.equal(offset % 64, 0, `${name} is aligned`)
    }
  })
}

test('each entry has the checksum of its content, in its header and in the directory', async (t) => {
  const path = join(await temporaryFolder(t), 'x.pth')
  await writePth(path, fresh())
  const content = await readFile(path)
  const file = await openFile(path)
  const entries = await readZipDirectory(file)
  await file.close()
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['data.pkl', 'byteorder', ...TENSORS.map((_, key) => `data/${key}`), 'version'].map((name) => `archive/${name}`)
  )
  for (const { name, offset, sizeBytes } of entries) {
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(crc32(content.subarray(offset, offset + sizeBytes)))
    const places = [...content.toString('latin1').matchAll(new RegExp(`${name}`, 'g'))].map(({ index }) => index)
    const [header = 0] = places
    assert.deepEqual(content.subarray(header - 16, header - 12), sum, `${name} in its header`)
    assert.deepEqual(content.subarray((places.at(-1) ?? 0) - 30, (places.at(-1) ?? 0) - 26), sum, `${name} in the directory`)
  }
})

test('values that do not fill the shape leave no file, and a file that is there stays', async (t) => {
  const path = join(await temporaryFolder(t), 'x.pth')
  const short: WrittenTensor = { name: 'a', dtype: 'F32', shape: [2], values: [bytes(4)] }
  await assert.rejects(writePth(path, [short]), /data\/0 has 4 bytes, not 8/)
  await assert.rejects(access(path))
  await writePth(path, fresh())
  const { size } = await stat(path)
  await assert.rejects(writePth(path, [short]), /EEXIST/)
  assert.equal((await stat(path)).size, size)
})
