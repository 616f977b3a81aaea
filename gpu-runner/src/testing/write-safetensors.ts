import { writeFile } from 'node:fs/promises'
import { DTYPE_BYTES, type Dtype, elementCount } from '../checkpoint/tensor-info.ts'

export interface HeaderEntry {
  dtype: Dtype
  shape: number[]
}

/** Writes a safetensors file whose tensors are all zeros: enough for whatever only looks at names and shapes. */
export const writeSafetensors = async (path: string, tensors: Record<string, HeaderEntry>): Promise<void> => {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const begin = end
    end += elementCount(shape) * DTYPE_BYTES[dtype]
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const
  })
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await writeFile(path, Buffer.concat([length, header, Buffer.alloc(end)]))
}
