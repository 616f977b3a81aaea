import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { ModelError } from '../errors.ts'
import { GOLDEN_MODEL } from '../testing/folders.ts'
import { pth, zip } from '../testing/write-pth.ts'
import { pickle as p, tensorPickle } from './pickle-instructions.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'
import { readTensorBytes } from './read-safetensors.ts'

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer)
const SIX = { 0: floats(0, 1, 2, 3, 4, 5) }
const whole = tensorPickle({ key: '0', elements: 6, shape: [2, 3], stride: [3, 1] })

const read = async (t: TestContext, bytes: Buffer, role: 'tokenizer' | 'transformer' = 'transformer') => {
  const path = join(await temporaryFolder(t), 'x.pth')
  await writeFile(path, bytes)
  return readCheckpoint(path, CHECKPOINT_PARTS[role])
}

const values = async (tensors: Awaited<ReturnType<typeof read>>, name: string) => {
  const tensor = tensors.get(name)
  assert.ok(tensor)
  const bytes = Uint8Array.from(tensor.data ?? (await readTensorBytes(tensor)))
  return [...new Float32Array(bytes.buffer)]
}

test('a published-format checkpoint is read: names, types, shapes', async () => {
  const tensors = await readCheckpoint(join(GOLDEN_MODEL, 'vae.pth'), CHECKPOINT_PARTS.tokenizer)
  const { dtype, shape } = tensors.get('quantize.embedding.weight') ?? assert.fail()
  assert.deepEqual([tensors.size, dtype, shape], [324, 'F16', [512, 32]])
})

test('tensors that share a storage, begin inside it or are transposed have their own values', async (t) => {
  const views = p.dict(
    p.text('whole'),
    whole,
    p.text('tail'),
    tensorPickle({ key: '0', elements: 6, offset: 4, shape: [2], stride: [1] }),
    p.text('transposed'),
    tensorPickle({ key: '0', elements: 6, shape: [3, 2], stride: [1, 3] })
  )
  const tensors = await read(t, pth(views, SIX))
  assert.deepEqual(await values(tensors, 'whole'), [0, 1, 2, 3, 4, 5])
  assert.deepEqual(await values(tensors, 'tail'), [4, 5])
  assert.deepEqual(await values(tensors, 'transposed'), [0, 3, 1, 4, 2, 5])
})

test('a view that is not contiguous has its values in row-major order, whatever their type and its axes', async (t) => {
  const types = { ByteStorage: 1, HalfStorage: 2, FloatStorage: 4, LongStorage: 8 }
  for (const [storageType, width] of Object.entries(types)) {
    const numbers = Array.from({ length: 12 }, (_, i) => Array.from({ length: width }, (_, byte) => 16 * byte + i))
    const view = { storageType, key: '0', elements: 13, offset: 1, shape: [2, 1, 3, 2], stride: [1, 99, 4, 2] }
    const storage = Buffer.from([Array<number>(width).fill(0xff), ...numbers].flat())
    const tensors = await read(t, pth(p.dict(p.text('a'), tensorPickle(view)), { 0: storage }))
    const expected = [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11].flatMap((element) => numbers[element] ?? [])
    assert.deepEqual([...(tensors.get('a')?.data ?? [])], expected, storageType)
  }
})

test('views are copied from wherever they lie, and what has no name is left out', async (t) => {
  const far = Buffer.concat([floats(0, 1, 2, 3), Buffer.alloc(40_000), floats(4, 5, 6, 7)])
  const square = { key: '0', elements: 10_008, shape: [2, 2], stride: [1, 2] }
  const views = p.dict(
    p.text('last'),
    tensorPickle({ ...square, offset: 10_004 }),
    p.int(7),
    whole,
    p.text('first'),
    tensorPickle(square),
    p.text('none'),
    tensorPickle({ ...square, shape: [0, 2], stride: [1, 9] })
  )
  const tensors = await read(t, pth(views, { 0: far }))
  assert.deepEqual([...tensors.keys()], ['last', 'first', 'none'])
  assert.deepEqual(await values(tensors, 'last'), [4, 6, 5, 7])
  assert.deepEqual(await values(tensors, 'first'), [0, 2, 1, 3])
  assert.deepEqual(await values(tensors, 'none'), [])
})

test('an archive with zip64 records is read', async (t) => {
  const tensors = await read(t, pth(p.dict(p.text('a'), whole), SIX, { zip64: true }))
  assert.deepEqual(await values(tensors, 'a'), [0, 1, 2, 3, 4, 5])
})

test('of a training checkpoint the wanted part is read', async (t) => {
  const parts = p.dict(p.text('vae_local'), p.dict(p.text('a'), whole), p.text('var_wo_ddp'), p.dict(p.text('b'), whole))
  const bytes = pth(p.dict(p.text('epoch'), p.int(3), p.text('trainer'), parts), SIX)
  assert.deepEqual([...(await read(t, bytes, 'tokenizer')).keys()], ['a'])
  assert.deepEqual([...(await read(t, bytes, 'transformer')).keys()], ['b'])
})

const view = (changes: object) =>
  p.dict(p.text('a'), tensorPickle({ key: '0', elements: 6, shape: [6], stride: [1], ...changes }))
/** The storage's entry claims a place of the pickle's. */
const overlapping = pth(view({}), SIX, { claim: ([a, b]) => (a && b ? [a, { ...b, headerOffset: a.headerOffset }] : []) })
const twice = pth(view({}), SIX, { claim: ([a, b]) => (a && b ? [a, b, { ...b }] : []), count: 3 })
/** 40 views of 2 MiB each: far more than the file has. */
const MANY = Buffer.alloc(2 ** 21)
const manyViews = p.dict(
  ...Array.from({ length: 40 }, (_, i) => [
    p.text(`t${i}`),
    tensorPickle({ key: '0', elements: 2 ** 19, shape: [2 ** 10, 2 ** 9], stride: [1, 2 ** 10] })
  ]).flat()
)
const repeated = (instruction: string, times: number) => pth(Buffer.from(instruction.repeat(times)), {})
const refused: Record<string, [Buffer, RegExp]> = {
  'a call of the operating system': [
    pth(p.reduce(p.global('posix', 'system'), p.tuple(p.text('id'))), {}),
    /refused: its pickle names posix\.system/
  ],
  'a class of somebody’s own': [pth(p.global('mypackage.model', 'Net'), {}), /names mypackage\.model\.Net/],
  'a pickle that ends early': [pth(Buffer.from('}('), {}), /refused/],
  'an unknown instruction': [pth(Buffer.from([0xff]), {}), /instruction 0xff/],
  'a shape beyond the storage': [pth(view({ shape: [7] }), SIX), /tensor a reaches beyond its 24 bytes/],
  'an offset beyond the storage': [pth(view({ offset: 1 }), SIX), /reaches beyond/],
  'a view that claims terabytes': [pth(view({ shape: [2 ** 20, 2 ** 20], stride: [0, 0] }), SIX), /repeats its values/],
  'values that are missing': [pth(view({ key: '9' }), SIX), /values of tensor a are missing/],
  'an unsupported type': [pth(view({ storageType: 'ComplexFloatStorage' }), SIX), /ComplexFloatStorage, which is not supported/],
  'no tensors': [pth(p.dict(), {}), /has no tensors/],
  'a list': [pth(p.tuple(), {}), /no state dict/],
  'an archive of something else': [zip({ 'word/document.xml': Buffer.from('<a/>') }), /the archive has no data\.pkl/],
  'an archive of two checkpoints': [
    zip({ 'a/data.pkl': p.program(view({})), 'b/data.pkl': p.program(view({})) }),
    /the archive has both a\/data\.pkl and b\/data\.pkl/
  ],
  'a compressed entry': [zip({ 'archive/data.pkl': Buffer.from('x') }, { method: 8 }), /archive\/data\.pkl is compressed/],
  'a dictionary per byte': [repeated('}', 2 ** 21), /makes more values than a checkpoint has/],
  'lists in lists in lists': [repeated(']', 400_000), /it is no state dict/],
  'a list that is appended to itself a million times': [
    repeated(']q\u0000h\u0000a', 10 ** 6 / 2),
    /more values than a checkpoint has/
  ],
  'many views that must be copied': [pth(manyViews, { 0: MANY }), /tensor t4 is a view that .* is too large to be copied/],
  'a pickle of absurd size': [
    pth(Buffer.alloc(5 * 2 ** 20), {}),
    /its pickle has 5242883 bytes, and the tensors of a model may take 4194304 to describe/
  ],
  'entries that overlap': [overlapping, /archive\/data\/0 has no header|overlaps another entry/],
  'an entry twice': [twice, /it has two entries archive\/data\/0/],
  'an absurd number of entries': [pth(view({}), SIX, { count: 60_000 }), /its directory claims 60000 entries/],
  'more entries than there are': [pth(view({}), SIX, { count: 9 }), /its directory is broken/],
  'a name that would break the sentence': [
    pth(p.dict(p.text(`a\n\u001b[31m${'x'.repeat(500)}`), tensorPickle({ key: '9', elements: 1, shape: [1], stride: [1] })), {}),
    /tensor a {2}\[31mx{500} are missing\.$/
  ],
  'a name of absurd length': [pth(p.dict(p.text('x'.repeat(5_000)), whole), SIX), /its pickle has a name of 5000 characters/],
  'a type of absurd length': [
    pth(p.global('torch', `${'A'.repeat(5_000)}Storage`), {}),
    /its pickle has a name of 5013 characters/
  ],
  'values kept in no order': [pth(Buffer.from('Nq\u0007'), {}), /its pickle skips a number in what it keeps/],
  'an archive without a directory': [pth(view({}), SIX).subarray(0, 200), /it has no zip directory/]
}
for (const [kind, [bytes, sentence]] of Object.entries(refused)) {
  test(`${kind} is refused in one sentence`, async (t) => {
    await assert.rejects(read(t, bytes), (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error))
      assert.match(error.message, sentence)
      return true
    })
  })
}
