import { crc32 } from 'node:zlib'

/** Pickle instructions, put together by hand: tests must be able to write what torch never would. */
export const p = {
  text: (value: string) => {
    const bytes = Buffer.from(value)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return Buffer.concat([Buffer.from([0x58]), length, bytes])
  },
  int: (value: number) => {
    const bytes = Buffer.alloc(5, 0x4a)
    bytes.writeInt32LE(value, 1)
    return bytes
  },
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  tuple: (...items: Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]),
  reduce: (callee: Buffer, args: Buffer) => Buffer.concat([callee, args, Buffer.from('R')]),
  dict: (...items: Buffer[]) => Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')]),
  program: (value: Buffer) => Buffer.concat([Buffer.from([0x80, 2]), value, Buffer.from('.')])
}

export interface View {
  storageType?: string
  key: string
  elements: number
  offset?: number
  shape: number[]
  stride: number[]
}

const FALSE = Buffer.from([0x89])

/** A tensor as torch pickles it. */
export const tensorPickle = ({ storageType = 'FloatStorage', key, elements, offset = 0, shape, stride }: View): Buffer => {
  const id = p.tuple(p.text('storage'), p.global('torch', storageType), p.text(key), p.text('cpu'), p.int(elements))
  const storage = Buffer.concat([id, Buffer.from('Q')])
  const hooks = p.reduce(p.global('collections', 'OrderedDict'), p.tuple())
  const sizes = [p.tuple(...shape.map(p.int)), p.tuple(...stride.map(p.int))]
  return p.reduce(p.global('torch._utils', '_rebuild_tensor_v2'), p.tuple(storage, p.int(offset), ...sizes, FALSE, hooks))
}

const header = (signature: number, length: number, fields: [offset: number, value: number, bytes: 2 | 4][]): Buffer => {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt32LE(signature)
  for (const [offset, value, width] of fields) bytes.writeUIntLE(value, offset, width)
  return bytes
}

/** A zip archive of stored entries; `method` other than 0 only claims to be compressed. */
export const zip = (entries: Record<string, Buffer>, method = 0): Buffer => {
  const content: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, data] of Object.entries(entries)) {
    const [label, sum, size] = [Buffer.from(name), crc32(data), data.length]
    content.push(
      header(0x04034b50, 30, [
        [8, method, 2],
        [14, sum, 4],
        [18, size, 4],
        [22, size, 4],
        [26, label.length, 2]
      ]),
      label,
      data
    )
    directory.push(
      header(0x02014b50, 46, [
        [10, method, 2],
        [16, sum, 4],
        [20, size, 4],
        [24, size, 4],
        [28, label.length, 2],
        [42, offset, 4]
      ]),
      label
    )
    offset += 30 + label.length + size
  }
  const central = Buffer.concat(directory)
  const count = Object.keys(entries).length
  const end = header(0x06054b50, 22, [
    [8, count, 2],
    [10, count, 2],
    [12, central.length, 4],
    [16, offset, 4]
  ])
  return Buffer.concat([...content, central, end])
}

/** The same archive with the zip64 records that torch writes beyond 4 GiB. */
export const asZip64 = (archive: Buffer): Buffer => {
  const at = archive.length - 22
  const [count, size, offset] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 12), archive.readUInt32LE(at + 16)]
  const end64 = header(0x06064b50, 56, [
    [4, 44, 4],
    [24, count, 4],
    [32, count, 4],
    [40, size, 4],
    [48, offset, 4]
  ])
  const locator = header(0x07064b50, 20, [
    [8, at, 4],
    [16, 1, 4]
  ])
  const end = header(0x06054b50, 22, [
    [8, 0xffff, 2],
    [10, 0xffff, 2],
    [12, 0xffffffff, 4],
    [16, 0xffffffff, 4]
  ])
  return Buffer.concat([archive.subarray(0, at), end64, locator, end])
}

/** A torch checkpoint: the pickle and its storages by key. */
export const pth = (pickle: Buffer, storages: Record<string, Buffer>): Buffer =>
  zip({
    'archive/data.pkl': p.program(pickle),
    ...Object.fromEntries(Object.entries(storages).map(([key, data]) => [`archive/data/${key}`, data]))
  })
