import { readFile } from 'node:fs/promises'

interface Entry {
  dtype: string
  shape: number[]
  data_offsets: [begin: number, end: number]
}

const TYPES = { I32: Int32Array, F32: Float32Array } as const

/** Values of one tensor of a safetensors file: a header in JSON with its length before it, then the data. */
export const readTensor = async (path: string, name: string, dtype: keyof typeof TYPES): Promise<Int32Array | Float32Array> => {
  const file = await readFile(path)
  const begin = 8 + Number(file.readBigUInt64LE())
  const entry = (JSON.parse(file.toString('utf8', 8, begin)) as Record<string, Entry>)[name]
  if (entry?.dtype !== dtype) throw new Error(`${path} has no tensor ${name} of ${dtype}`)
  const [from, to] = entry.data_offsets
  // A copy, since values must lie at multiples of their size.
  return new TYPES[dtype](Uint8Array.from(file.subarray(begin + from, begin + to)).buffer)
}
