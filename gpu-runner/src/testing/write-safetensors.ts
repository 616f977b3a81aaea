import { writeFile } from 'node:fs/promises'
import { DTYPE_BYTES, type Dtype, elementCount } from '../checkpoint/tensor-info.ts'
import { halfBits } from './half.ts'

export interface HeaderEntry {
  dtype: Dtype
  shape: number[]
  /** Row-major, each exact in `dtype`; zeros by default. */
  values?: Float64Array
}

type ValueWriter = (view: DataView, offset: number, value: number) => void

const VALUE_WRITERS: Partial<Record<Dtype, ValueWriter>> = {
  F32: (view, offset, value) => view.setFloat32(offset, value, true),
  F16: (view, offset, value) => view.setUint16(offset, halfBits(value), true),
  I64: (view, offset, value) => view.setBigInt64(offset, BigInt(value), true)
}

const bytesOf = (name: string, { dtype, shape, values }: HeaderEntry): Buffer => {
  const bytes = Buffer.alloc(elementCount(shape) * DTYPE_BYTES[dtype])
  if (!values) return bytes
  const write = VALUE_WRITERS[dtype]
  if (!write) throw new TypeError(`${name}: values of type ${dtype} cannot be written`)
  if (values.length !== elementCount(shape)) throw new RangeError(`${name}: ${values.length} values for ${shape.join('x')}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  values.forEach((value, i) => write(view, i * DTYPE_BYTES[dtype], value))
  return bytes
}

/** Writes a safetensors file. Zeros are enough for whatever only looks at names and shapes. */
export const writeSafetensors = async (path: string, tensors: Record<string, HeaderEntry>): Promise<void> => {
  let end = 0
  const data: Buffer[] = []
  const entries = Object.entries(tensors).map(([name, entry]) => {
    const bytes = bytesOf(name, entry)
    const begin = end
    end += bytes.length
    data.push(bytes)
    return [name, { dtype: entry.dtype, shape: entry.shape, data_offsets: [begin, end] }] as const
  })
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await writeFile(path, Buffer.concat([length, header, ...data]))
}
