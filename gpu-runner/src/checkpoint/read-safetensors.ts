import { type FileHandle, open } from 'node:fs/promises'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { ModelError } from '../errors.ts'
import { DTYPE_BYTES, type Dtype, elementCount, type TensorInfo, type TensorMap } from './tensor-info.ts'

/** The format's own limit on the header. */
const MAX_HEADER_BYTES = 100_000_000
const LENGTH_BYTES = 8

const Entry = Compile(
  Type.Object({
    dtype: Type.String(),
    shape: Type.Array(Type.Integer({ minimum: 0 })),
    data_offsets: Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 0 })])
  })
)

const isDtype = (name: string): name is Dtype => Object.hasOwn(DTYPE_BYTES, name)

const readExactly = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const readHeader = async (handle: FileHandle, path: string, fileBytes: number) => {
  const lengthField = await readExactly(handle, 0, LENGTH_BYTES)
  if (lengthField.length < LENGTH_BYTES) throw new ModelError(`${path} is not a safetensors file: it has ${fileBytes} bytes.`)
  const headerBytes = Number(lengthField.readBigUInt64LE())
  if (headerBytes > MAX_HEADER_BYTES || LENGTH_BYTES + headerBytes > fileBytes) {
    throw new ModelError(`${path} is not a whole safetensors file: its header claims ${headerBytes} of ${fileBytes} bytes.`)
  }
  const text = (await readExactly(handle, LENGTH_BYTES, headerBytes)).toString('utf8')
  try {
    const header: unknown = JSON.parse(text)
    if (header !== null && typeof header === 'object' && !Array.isArray(header)) {
      return { entries: Object.entries(header), dataStart: LENGTH_BYTES + headerBytes }
    }
  } catch {
    // Falls through to the one sentence below.
  }
  throw new ModelError(`${path} is not a safetensors file: its header is not a JSON object.`)
}

const parseEntry = (path: string, name: string, entry: unknown, dataStart: number, fileBytes: number): TensorInfo => {
  if (!Entry.Check(entry)) throw new ModelError(`${path}: the header entry of tensor ${name} is malformed.`)
  const [begin, end] = entry.data_offsets
  if (!isDtype(entry.dtype)) throw new ModelError(`${path}: tensor ${name} has type ${entry.dtype}, which is not supported.`)
  const sizeBytes = elementCount(entry.shape) * DTYPE_BYTES[entry.dtype]
  if (end - begin !== sizeBytes || dataStart + end > fileBytes) {
    throw new ModelError(
      `${path}: tensor ${name} takes ${sizeBytes} bytes, but its place is ${begin}..${end} of ${fileBytes - dataStart}.`
    )
  }
  return { name, dtype: entry.dtype, shape: entry.shape, file: path, offset: dataStart + begin, sizeBytes }
}

/**
 * Reads the header of a safetensors file; the values stay on disk.
 * @throws ModelError in one sentence when the file is truncated, malformed or of another kind.
 */
export const readSafetensors = async (path: string): Promise<TensorMap> => {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw new ModelError(`${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`)
  })
  try {
    const { size } = await handle.stat()
    const { entries, dataStart } = await readHeader(handle, path, size)
    const tensors = entries.filter(([name]) => name !== '__metadata__')
    return new Map(tensors.map(([name, entry]) => [name, parseEntry(path, name, entry, dataStart, size)]))
  } finally {
    await handle.close()
  }
}

/** Reads the raw bytes of one tensor. */
export const readTensorBytes = async (tensor: TensorInfo): Promise<Buffer> => {
  const handle = await open(tensor.file, 'r')
  try {
    return await readExactly(handle, tensor.offset, tensor.sizeBytes)
  } finally {
    await handle.close()
  }
}
