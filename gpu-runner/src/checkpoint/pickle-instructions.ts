import { contiguousStride, type Dtype, TORCH_STORAGES } from './tensor-info.ts'

const INT32 = 2 ** 31
const FALSE = Buffer.from([0x89])

const length32 = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return length
}

/** Whole numbers beyond 32 bits, such as the size of a very large tensor: LONG1 of 8 bytes. */
const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(10)
  bytes.set([0x8a, 8])
  bytes.writeBigInt64LE(BigInt(value), 2)
  return bytes
}

const bytesOf = (...items: Buffer[]) => Buffer.concat(items)
const marked = (items: readonly Buffer[], end: string) => bytesOf(Buffer.from('('), ...items, Buffer.from(end))

/** Pickle instructions of protocol 2, each a piece of a program that leaves one value on the stack. */
export const pickle = {
  text: (value: string) => bytesOf(Buffer.from([0x58]), length32(Buffer.from(value)), Buffer.from(value)),
  int: (value: number) => {
    if (value < -INT32 || value >= INT32) return long(value)
    const bytes = Buffer.alloc(5, 0x4a)
    bytes.writeInt32LE(value, 1)
    return bytes
  },
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  tuple: (...items: Buffer[]) => marked(items, 't'),
  reduce: (callee: Buffer, args: Buffer) => bytesOf(callee, args, Buffer.from('R')),
  /** Keys and values in turn. */
  dict: (...items: Buffer[]) => bytesOf(Buffer.from('}'), marked(items, 'u')),
  orderedDict: (...items: Buffer[]) => bytesOf(orderedDict(), marked(items, 'u')),
  program: (value: Buffer) => bytesOf(Buffer.from([0x80, 2]), value, Buffer.from('.'))
}

const orderedDict = () => pickle.reduce(pickle.global('collections', 'OrderedDict'), pickle.tuple())

export interface View {
  storageType?: string
  /** Name of the storage's entry in the archive. */
  key: string
  elements: number
  offset?: number
  shape: readonly number[]
  stride: readonly number[]
}

/** A tensor as torch pickles it: a view of a storage, with neither gradient nor hooks. */
export const tensorPickle = ({ storageType = 'FloatStorage', key, elements, offset = 0, shape, stride }: View): Buffer => {
  const place = [pickle.text('storage'), pickle.global('torch', storageType), pickle.text(key), pickle.text('cpu')]
  const storage = bytesOf(pickle.tuple(...place, pickle.int(elements)), Buffer.from('Q'))
  const sizes = [pickle.tuple(...shape.map(pickle.int)), pickle.tuple(...stride.map(pickle.int))]
  const args = pickle.tuple(storage, pickle.int(offset), ...sizes, FALSE, orderedDict())
  return pickle.reduce(pickle.global('torch._utils', '_rebuild_tensor_v2'), args)
}

/** A contiguous tensor that has a storage of its own. */
export const wholeTensorPickle = (key: string, dtype: Dtype, shape: readonly number[], elements: number): Buffer =>
  tensorPickle({ storageType: TORCH_STORAGES[dtype], key, elements, shape, stride: contiguousStride(shape) })
