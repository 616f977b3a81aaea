import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { ModelError } from '../errors.ts'
import { type OpenFile, openFile, readExactly } from './open-file.ts'
import { plainText } from './plain-text.ts'
import { DTYPE_BYTES, type Dtype, tensorBytes, type TensorInfo, type TensorMap } from './tensor-info.ts'

/** A thousand tensors take some 100 KB. The format allows 100 MB, which parsed could take gigabytes. */
const MAX_HEADER_BYTES = 4 * 2 ** 20
const LENGTH_BYTES = 8

/** Bounds keep every product of sizes a number. */
const Size = Type.Integer({ minimum: 0, maximum: 2 ** 40 })
const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Entry = Compile(
  Type.Object({
    dtype: Type.String(),
    shape: Type.Array(Size, { maxItems: 16 }),
    data_offsets: Type.Tuple([Offset, Offset])
  })
)

const isDtype = (name: string): name is Dtype => Object.hasOwn(DTYPE_BYTES, name)

const readHeader = async (file: OpenFile) => {
  const { path, sizeBytes } = file
  if (sizeBytes < LENGTH_BYTES) throw new ModelError(`${path} is not a safetensors file: it has ${sizeBytes} bytes.`)
  const headerBytes = Number((await readExactly(file, 0, LENGTH_BYTES)).readBigUInt64LE())
  if (LENGTH_BYTES + headerBytes > sizeBytes) {
    throw new ModelError(`${path} is not a whole safetensors file: its header claims ${headerBytes} of ${sizeBytes} bytes.`)
  }
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new ModelError(`${path} is refused: its header of ${headerBytes} bytes is longer than any model’s.`)
  }
  const text = (await readExactly(file, LENGTH_BYTES, headerBytes)).toString('utf8')
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

const parseEntry = ({ path, sizeBytes: fileBytes }: OpenFile, name: string, entry: unknown, dataStart: number): TensorInfo => {
  const label = plainText(name)
  if (!Entry.Check(entry)) throw new ModelError(`${path}: the header entry of tensor ${label} is malformed.`)
  const { dtype, shape } = entry
  const [begin, end] = entry.data_offsets
  if (!isDtype(dtype)) throw new ModelError(`${path}: tensor ${label} has type ${plainText(dtype)}, which is not supported.`)
  const sizeBytes = tensorBytes({ dtype, shape })
  if (end - begin !== sizeBytes || dataStart + end > fileBytes) {
    throw new ModelError(
      `${path}: tensor ${label} takes ${sizeBytes} bytes, but its place is ${begin}..${end} of ${fileBytes - dataStart}.`
    )
  }
  return { name, dtype, shape, file: path, offset: dataStart + begin, sizeBytes }
}

const refuseOverlaps = (path: string, tensors: readonly TensorInfo[]): void => {
  let last: TensorInfo | undefined
  for (const tensor of tensors.filter(({ sizeBytes }) => sizeBytes > 0).sort((a, b) => a.offset - b.offset)) {
    if (last && tensor.offset < last.offset + last.sizeBytes) {
      throw new ModelError(`${path}: tensors ${plainText(last.name)} and ${plainText(tensor.name)} overlap.`)
    }
    last = tensor
  }
}

/**
 * Reads the header of a safetensors file; the values stay on disk.
 * @throws ModelError in one sentence when the file is truncated, malformed or of another kind.
 */
export const readSafetensors = async (path: string): Promise<TensorMap> => {
  const file = await openFile(path)
  try {
    const { entries, dataStart } = await readHeader(file)
    const described = entries.filter(([name]) => name !== '__metadata__')
    const tensors = described.map(([name, entry]) => parseEntry(file, name, entry, dataStart))
    if (tensors.length === 0) throw new ModelError(`${path} has no tensors.`)
    refuseOverlaps(path, tensors)
    return new Map(tensors.map((tensor) => [tensor.name, tensor]))
  } finally {
    await file.close()
  }
}

/**
 * Reads the raw bytes of one tensor.
 * @throws ModelError when the file has become shorter.
 */
export const readTensorBytes = async (tensor: TensorInfo): Promise<Buffer> => {
  const file = await openFile(tensor.file)
  try {
    return await readExactly(file, tensor.offset, tensor.sizeBytes)
  } finally {
    await file.close()
  }
}
