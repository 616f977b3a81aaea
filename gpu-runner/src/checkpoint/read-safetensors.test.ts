import assert from 'node:assert/strict'
import { open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { ModelError } from '../errors.ts'
import { writeSafetensors } from '../testing/write-safetensors.ts'
import { readSafetensors, readTensorBytes } from './read-safetensors.ts'

const withHeader = (header: string, dataBytes = 0, claimed = Buffer.byteLength(header)) => {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(claimed))
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataBytes, 7)])
}

test('names, types, shapes and bytes are read back', async (t) => {
  const path = join(await temporaryFolder(t), 'x.safetensors')
  const header =
    '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"U8","shape":[],"data_offsets":[24,25]}}'
  await writeFile(path, withHeader(header, 25))
  const tensors = await readSafetensors(path)
  assert.deepEqual([...tensors.keys()], ['a', 'b'])
  const a = tensors.get('a')
  assert.ok(a)
  assert.deepEqual([a.dtype, a.shape, a.sizeBytes, a.offset], ['F32', [2, 3], 24, 8 + header.length])
  assert.deepEqual(await readTensorBytes(a), Buffer.alloc(24, 7))
})

const entry = (begin: number, end: number) => `{"dtype":"F32","shape":[1],"data_offsets":[${begin},${end}]}`

test('the order of tensors and empty ones between them are of no account', async (t) => {
  const path = join(await temporaryFolder(t), 'x.safetensors')
  const empty = (at: number) => `{"dtype":"F32","shape":[2,0],"data_offsets":[${at},${at}]}`
  await writeFile(
    path,
    withHeader(`{"b":${entry(4, 8)},"e":${empty(8)},"d":${empty(4)},"a":${entry(0, 4)},"c":${empty(0)}}  `, 8)
  )
  assert.deepEqual([...(await readSafetensors(path)).keys()], ['b', 'e', 'd', 'a', 'c'])
})

const broken: Record<string, [Buffer, RegExp]> = {
  'an empty file': [Buffer.alloc(0), /is not a safetensors file: it has 0 bytes/],
  'a header longer than the file': [withHeader('{}', 0, 1_000), /header claims 1000 of 10 bytes/],
  'a header of absurd size': [withHeader('{}', 0, Number.MAX_SAFE_INTEGER), /header claims/],
  'a header that is not JSON': [withHeader('PK\u0003\u0004'), /header is not a JSON object/],
  'a header that is a list': [withHeader('[1]'), /header is not a JSON object/],
  'an entry of the wrong form': [withHeader('{"a":{"dtype":"F32"}}'), /entry of tensor a is malformed/],
  'a negative size': [withHeader('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4), /entry of tensor a is malformed/],
  'an unknown type': [withHeader('{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}', 4), /tensor a has type F4/],
  'a shape of too many axes': [
    withHeader(`{"a":{"dtype":"F32","shape":[${'1,'.repeat(99)}1],"data_offsets":[0,4]}}`, 4),
    /entry of tensor a is malformed/
  ],
  'sizes whose product is no number': [
    withHeader(`{"a":{"dtype":"F32","shape":[1e300,1e300,0],"data_offsets":[0,0]}}`),
    /entry of tensor a is malformed/
  ],
  'tensors that overlap': [
    withHeader('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8),
    /tensors a and b overlap/
  ],
  'a name twice': [
    withHeader(`{"a":${entry(0, 4)},"b":${entry(4, 8)},"\\u0061":${entry(0, 4)}}`, 8),
    /header is not a JSON object \(it has the name a twice\)/
  ],
  'a field twice': [
    withHeader('{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4),
    /the name dtype twice/
  ],
  'bytes before the first tensor': [
    withHeader(`{"a":${entry(4, 8)}}`, 8),
    /the 4 bytes between the header and tensor a belong to no tensor/
  ],
  'bytes between tensors': [
    withHeader(`{"b":${entry(12, 16)},"a":${entry(0, 4)}}`, 16),
    /the 8 bytes between a and tensor b belong to no tensor/
  ],
  'bytes after the last tensor': [withHeader(`{"a":${entry(0, 4)}}`, 7), /the last 3 bytes belong to no tensor/],
  'an empty tensor in the midst of another': [
    withHeader(`{"a":${entry(0, 4)},"b":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}}`, 4),
    /tensors a and b overlap/
  ],
  'metadata that is no text': [withHeader(`{"__metadata__":{"a":1},"a":${entry(0, 4)}}`, 4), /__metadata__ .* only text/],
  'a byte order mark': [
    withHeader(`\ufeff{"a":${entry(0, 4)}}`, 4),
    /its header is not a JSON object \(it begins with a byte order mark/
  ],
  'no tensors': [withHeader('{}'), /has no tensors/],
  'a header longer than any model needs': [
    withHeader(' '.repeat(5_000_000)),
    /header has 5000000 bytes, and the tensors of a model may take 4194304 to describe/
  ],
  'a header of nothing but nesting': [withHeader('['.repeat(4_000_000)), /header is not a JSON object/],
  'offsets outside the file': [withHeader('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 4), /tensor a takes 4 bytes/],
  'offsets that do not fit the shape': [
    withHeader('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4),
    /tensor a takes 8 bytes/
  ]
}

for (const [kind, [bytes, sentence]] of Object.entries(broken)) {
  test(`${kind} is refused in one sentence that names the file`, async (t) => {
    const path = join(await temporaryFolder(t), 'broken.safetensors')
    await writeFile(path, bytes)
    await assert.rejects(readSafetensors(path), (error: unknown) => {
      assert.ok(error instanceof ModelError)
      assert.match(error.message, sentence)
      assert.match(error.message, /broken\.safetensors/)
      return true
    })
  })
}

test('a truncated file is refused, and a missing one', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'cut.safetensors')
  await writeSafetensors(path, { a: { dtype: 'F32', shape: [1_000] } })
  const handle = await open(path)
  const { size } = await handle.stat()
  await handle.close()
  await truncate(path, size - 1)
  await assert.rejects(readSafetensors(path), /tensor a takes 4000 bytes/)
  await assert.rejects(readSafetensors(join(folder, 'none')), /none cannot be opened/)
})
