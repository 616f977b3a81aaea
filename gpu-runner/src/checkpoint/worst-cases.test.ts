import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { CommandError } from '../cli/command.ts'
import { readClasses } from '../families/var/cli/read-classes.ts'
import { ModelError } from '../errors.ts'
import { readManifest } from '../families/var/model/manifest.ts'
import { measureWork, type Work } from '../testing/measure-work.ts'
import { pth, zip } from '../testing/write-pth.ts'
import { pickle as p, tensorPickle } from './pickle-instructions.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'

/** Of every file here, about. */
const LENGTH = 2 ** 20
/** What a file made to be slow may cost beside an ordinary one of its length. */
const MOST_TIMES = 24
const SLACK_MS = 100
const MOST_BYTES = (length: number) => 4 * length + 2 ** 17

type Files = Record<string, Buffer>
const bytes = (...parts: (Buffer | string | number[])[]) =>
  Buffer.concat(parts.map((part) => (Array.isArray(part) ? Buffer.from(part) : Buffer.from(part))))
const times = (count: number, make: (index: number) => Buffer) => Buffer.concat(Array.from({ length: count }, (_, i) => make(i)))
const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
const put = (index: number) => bytes('r', uint32(index))
const get = (index: number) => bytes('j', uint32(index))
/** A dictionary of so many items. */
const dictOf = (count: number, item: (index: number) => Buffer) => bytes('}(', times(count, item), 'u')

/** By which a product with an odd number is undone, modulo 2^32. Each step doubles the digits that are right. */
const oddInverse = (value: number) => [1, 2, 4, 8, 16].reduce((inverse) => Math.imul(inverse, 2 - Math.imul(value, inverse)), 1)
const undoShift = (hash: number, by: number) => {
  let key = hash >>> 0
  for (let i = by; i < 32; i += by) key = (hash ^ (key >>> by)) >>> 0
  return key
}
/** The integer whose hash in a JavaScript map is that: V8 mixes integers without a seed, and every step can be undone. */
const integerOfHash = (hash: number) => {
  const fifth = undoShift(Math.imul(undoShift(hash, 16), oddInverse(2_057)), 4)
  return Math.imul(undoShift(Math.imul(fifth, oddInverse(5)), 12) + 1, oddInverse(32_767)) | 0
}
/** One of 65,536 integers that a map keeps in one bucket. */
const colliding = (index: number) => integerOfHash((index << 16) | 0)

const SIX = { 0: Buffer.alloc(24, 1) }
const whole = tensorPickle({ key: '0', elements: 6, shape: [2, 3], stride: [3, 1] })
const turned = tensorPickle({ key: '0', elements: 6, shape: [3, 2], stride: [1, 3] })
const folded = tensorPickle({
  key: '0',
  elements: 2,
  shape: [...Array<number>(15).fill(1), 2],
  stride: Array<number>(16).fill(1)
})
const many = (tensor: Buffer) =>
  bytes(
    tensor,
    put(0),
    dictOf(LENGTH / 18, (i) => bytes(p.text(`tensor${i}`), get(0)))
  )
const side = Math.sqrt(LENGTH)
const LONG = 'A'.repeat(LENGTH / 2)
const storageOf = (type: Buffer, key: Buffer) => p.tuple(p.text('storage'), type, key, p.text('cpu'), p.int(6))

const PTH = (root: Buffer, storages: Files = SIX): Files => ({ 'x.pth': pth(root, storages) })
const pickles: Record<string, () => Files> = {
  'integers for names that a map keeps in one bucket': () => PTH(dictOf(65_536, (i) => bytes(p.int(colliding(i)), 'N'))),
  'numbers for names': () => PTH(dictOf(LENGTH / 11, (i) => bytes('G', Buffer.from(Float64Array.of(i).buffer), 'N'))),
  'kept values whose numbers collide': () =>
    PTH(
      bytes(
        'N',
        times(LENGTH / 5, (i) => put(colliding(i) >>> 0))
      )
    ),
  'a value kept over and over': () => PTH(bytes('N', Buffer.alloc(LENGTH, 0x94))),
  'a long type named again and again': () =>
    PTH(
      bytes(
        p.text('torch'),
        put(0),
        p.text(`${LONG}Storage`),
        put(1),
        times(40_000, () => bytes(get(0), get(1), [0x93]))
      )
    ),
  'a long type used again and again': () => {
    const global = p.global('torch', `${LONG}Storage`)
    return PTH(
      bytes(
        storageOf(global, p.text('0')),
        put(0),
        times(60_000, () => bytes(get(0), 'Q'))
      )
    )
  },
  'a long name set again and again': () => {
    const name = p.text('a'.repeat(LENGTH / 4))
    return PTH(
      bytes(
        name,
        put(0),
        name,
        put(1),
        '}',
        get(0),
        'Ns',
        times(70_000, () => bytes(get(1), 'Ns'))
      )
    )
  },
  'values in an entry of a long name': () => {
    const key = 'k'.repeat(60_000)
    const storage = bytes(storageOf(p.global('torch', 'FloatStorage'), p.text(key)), 'Q', put(0))
    const args = bytes(p.tuple(get(0), p.int(0), p.tuple(p.int(6)), p.tuple(p.int(1))), put(1))
    const tensor = p.reduce(p.global('torch._utils', '_rebuild_tensor'), args)
    return PTH(
      bytes(
        storage,
        tensor,
        put(2),
        dictOf(40_000, (i) => bytes(p.text(`t${i}`), get(2)))
      ),
      { [key]: SIX[0] }
    )
  },
  'tuples in tuples': () => PTH(bytes('N', Buffer.alloc(LENGTH, 0x85))),
  'a dictionary per byte': () => PTH(Buffer.alloc(LENGTH, '}')),
  'long integers': () =>
    PTH(
      bytes(
        '(',
        times(LENGTH / 258, () => bytes([0x8a, 255], Buffer.alloc(255, 1))),
        't'
      )
    ),
  'marks without an end': () => PTH(Buffer.alloc(LENGTH, '(')),
  'lists that are appended to themselves': () => PTH(times(LENGTH / 6, () => bytes(']q\0h\0a'))),
  'many views of the same values': () => PTH(many(turned)),
  'many views of sixteen axes': () => PTH(many(folded)),
  'a view that is read element by element': () => {
    const view = tensorPickle({ storageType: 'ByteStorage', key: '0', elements: LENGTH, shape: [side, side], stride: [1, side] })
    return PTH(p.dict(p.text('a'), view), { 0: Buffer.alloc(LENGTH) })
  },
  'large views of the same values': () => {
    const view = tensorPickle({ storageType: 'ByteStorage', key: '0', elements: LENGTH, shape: [side, side], stride: [1, side] })
    return PTH(
      bytes(
        view,
        put(0),
        dictOf(1_000, (i) => bytes(p.text(`t${i}`), get(0)))
      ),
      { 0: Buffer.alloc(LENGTH) }
    )
  }
}

const archives: Record<string, () => Files> = {
  'an archive of many entries': () => {
    const entries = Array.from({ length: 8_000 }, (_, i) => [`archive/data/${i}`, Buffer.alloc(0)] as const)
    return { 'x.pth': zip({ 'archive/data.pkl': p.program(many(whole)), ...Object.fromEntries(entries) }) }
  },
  'an archive of long names': () => {
    const names = Array.from({ length: 8 }, (_, i) => [`${'n'.repeat(60_000)}${i}`, Buffer.alloc(0)] as const)
    return { 'x.pth': zip(Object.fromEntries(names)) }
  },
  'an archive that ends and ends': () => ({ 'x.pth': bytes('PK\x03\x04', Buffer.alloc(LENGTH, 'PK\x05\x06')) })
}

const withHeader = (header: string): Buffer => {
  const text = Buffer.from(header)
  return bytes(Buffer.from(BigUint64Array.of(BigInt(text.length)).buffer), text)
}
const SAFETENSORS = (...members: string[]): Files => ({ 'x.safetensors': withHeader(`{${members.join(',')}}`) })
const list = (count: number, member: (index: number) => string) => Array.from({ length: count }, (_, i) => member(i))
const EMPTY = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
const nested = (open: string, close: string) => `${open.repeat(LENGTH / 8)}1${close.repeat(LENGTH / 8)}`
const headers: Record<string, () => Files> = {
  'empty tensors': () => SAFETENSORS(...list(LENGTH / 60, (i) => `"tensor${i}":${EMPTY}`)),
  'integers for tensors': () => SAFETENSORS(...list(LENGTH / 60, (i) => `"${i * 65_536}":${EMPTY}`)),
  'a header of one name': () => SAFETENSORS(...list(LENGTH / 60, () => `"tensor":${EMPTY}`)),
  'a header of nothing but nesting': () => SAFETENSORS(`"a":${nested('{"a":', '}')}`),
  'a shape of nothing but nesting': () => SAFETENSORS(`"a":{"dtype":"F32","shape":${nested('[', ']')},"data_offsets":[0,0]}`),
  'a shape of many sizes': () => SAFETENSORS(`"a":{"dtype":"F32","shape":[${'1,'.repeat(LENGTH / 2)}1],"data_offsets":[0,4]}`),
  'metadata of many names': () => SAFETENSORS(`"__metadata__":{${list(LENGTH / 12, (i) => `"${i}":""`).join()}}`),
  'a name of nothing but escapes': () => SAFETENSORS(`"${'\\"'.repeat(LENGTH / 2)}":${EMPTY}`),
  'a header that is not closed': () => ({ 'x.safetensors': withHeader(`{"a":${'"\\'.repeat(LENGTH / 2)}`) })
}

const INDEX = (members: string[]): Files => ({ 'x.index.json': bytes(`{"weight_map":{${members.join(',')}}}`) })
const indices: Record<string, () => Files> = {
  'an index of integers': () => INDEX(list(LENGTH / 16, (i) => `"${i * 65_536}":"s"`)),
  'an index of shards that are not there': () => INDEX(list(LENGTH / 16, (i) => `"t${i}":"s${i}"`)),
  'an index of one name': () => INDEX(list(LENGTH / 8, () => '"t":"s"')),
  'an index of nothing but nesting': () => INDEX([`"a":${nested('{"a":', '}')}`]),
  'an index of long names': () => INDEX([`"${LONG}":"s"`, `"${LONG}\\u0041":"s"`])
}

const MANIFEST = (...members: string[]): Files => ({ 'manifest.json': bytes(`{${members.join(',')}}`) })
const most = LENGTH - 100
const manifests: Record<string, () => Files> = {
  'classes that are numbers': () => MANIFEST(`"classes":[${'1,'.repeat(most / 2)}1]`),
  'fields there are none of': () => MANIFEST(...list(most / 12, (i) => `"x${i}":1`)),
  'a manifest of nothing but nesting': () => ({ 'manifest.json': bytes('['.repeat(most / 2), ']'.repeat(most / 2)) }),
  'a field of a long name': () => MANIFEST(`"${'x'.repeat(most - 10)}":1`),
  'names of marks that combine': () => {
    const name = `"a${'\u0301'.repeat(LENGTH / 5)}"`
    return MANIFEST(`"name":${name}`, `"classes":[${name}]`)
  },
  'scales without end': () => MANIFEST(`"scales":[${'1,'.repeat(most / 2)}1]`),
  'shards without end': () => MANIFEST(`"files":{"tokenizer":{"shards":[${'{},'.repeat(most / 3)}{}]}}`)
}

const classes: Record<string, () => Files> = {
  'a list of one name': () => ({ 'names.txt': Buffer.alloc(LENGTH, 'a\n') }),
  'a list of one line': () => ({ 'names.txt': Buffer.alloc(LENGTH, 'a') }),
  'a list of blanks': () => ({ 'names.txt': Buffer.alloc(LENGTH, ' \n') }),
  'a list of integers': () => ({ 'names.txt': bytes(list(LENGTH / 11, (i) => String(i * 65_536)).join('\n')) }),
  'a list of marks that combine': () => ({ 'names.txt': Buffer.from(`a${'\u0301'.repeat(LENGTH / 2 - 1)}`) })
}

const ordinaryManifest = () =>
  MANIFEST('"manifest_version":1', `"classes":[${list(LENGTH / 20, (i) => `"a class ${i}"`).join()}]`)
const ordinaryIndex = (): Files => ({
  ...INDEX(list(LENGTH / 40, (i) => `"blocks.${i}.weight":"s.safetensors"`)),
  's.safetensors': withHeader(`{${list(LENGTH / 40, (i) => `"blocks.${i}.weight":${EMPTY}`).join()}}`)
})

type Reader = (folder: string) => Promise<unknown>
const formats: readonly [ordinary: () => Files, read: Reader, cases: Record<string, () => Files>][] = [
  [
    () => PTH(many(whole)),
    (folder) => readCheckpoint(join(folder, 'x.pth'), CHECKPOINT_PARTS.transformer),
    { ...pickles, ...archives }
  ],
  [
    headers['empty tensors'] ?? assert.fail(),
    (folder) => readCheckpoint(join(folder, 'x.safetensors'), CHECKPOINT_PARTS.transformer),
    headers
  ],
  [ordinaryIndex, (folder) => readCheckpoint(join(folder, 'x.index.json'), CHECKPOINT_PARTS.transformer), indices],
  [ordinaryManifest, readManifest, manifests],
  [
    () => ({ 'names.txt': bytes(list(LENGTH / 12, (i) => `class ${i}`).join('\n')) }),
    async (folder) => {
      const path = join(folder, 'names.txt')
      return readClasses((await readFile(path, 'utf8')).trimEnd().split('\n').length, path)
    },
    classes
  ]
]

const writeFiles = async (folder: string, files: Files): Promise<number> => {
  await mkdir(folder)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return Object.values(files).reduce((sum, { length }) => sum + length, 0)
}

/** Reads, or is refused in one line. */
const attempt = async (read: () => Promise<unknown>): Promise<void> => {
  try {
    await read()
  } catch (error) {
    const isForeseen = error instanceof ModelError || error instanceof CommandError
    assert.ok(isForeseen, error instanceof Error ? error.stack : String(error))
    assert.match(error.message, /^[^\p{C}\p{Zl}\p{Zp}]{20,1010}\.$/u)
  }
}

/** The least of some: what is compiled or collected meanwhile is no part of it. */
const measured = async (read: () => Promise<unknown>, often: number): Promise<Work> => {
  const all: Work[] = []
  for (let i = 0; i < often; i++) all.push(await measureWork(() => attempt(read)))
  return {
    bytesRead: Math.min(...all.map(({ bytesRead }) => bytesRead)),
    cpuMs: Math.min(...all.map(({ cpuMs }) => cpuMs))
  }
}

for (const [ordinary, read, cases] of formats) {
  for (const [kind, make] of Object.entries(cases)) {
    test(`${kind}: as quick to read or refuse as an ordinary file of that length`, async (t: TestContext) => {
      const folder = await temporaryFolder(t)
      await writeFiles(join(folder, 'ordinary'), ordinary())
      const length = await writeFiles(join(folder, 'case'), make())
      const usual = await measured(() => read(join(folder, 'ordinary')), 3)
      const { bytesRead, cpuMs } = await measured(() => read(join(folder, 'case')), 2)
      assert.ok(bytesRead <= MOST_BYTES(length), `${bytesRead} bytes were read of ${length}`)
      const most = MOST_TIMES * usual.cpuMs + SLACK_MS
      assert.ok(cpuMs <= most, `it took ${cpuMs} ms of processor time, an ordinary file ${usual.cpuMs}`)
    })
  }
}
