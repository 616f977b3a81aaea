import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { ModelError } from '../errors.ts'
import { Allowance } from './allowance.ts'
import { type OpenFile, openFile, readExactly } from './open-file.ts'
import { JsonError, parseJson } from './parse-json.ts'
import { DTYPE_BYTES, type Dtype, tensorBytes, type TensorInfo, type TensorMap } from './tensor-info.ts'

const LENGTH_BYTES = 8
const METADATA = '__metadata__'

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
const Header = Compile(Type.Object({ [METADATA]: Type.Optional(Type.Object({}, { additionalProperties: Type.String() })) }))

const isDtype = (name: string): name is Dtype => Object.hasOwn(DTYPE_BYTES, name)

const parseHeader = (path: string, bytes: Buffer): [name: string, entry: unknown][] => {
  const refuse = (reason: string): never => {
    throw new ModelError(`${path} is not a safetensors file: its header is not a JSON object${reason}.`)
  }
  try {
    const header = parseJson(bytes)
    if (header === null || typeof header !== 'object' || Array.isArray(header)) return refuse('')
    if (!Header.Check(header)) throw new ModelError(`${path}: the ${METADATA} of its header may hold only text.`)
    return Object.entries<unknown>(header).filter(([name]) => name !== METADATA)
  } catch (error) {
    if (error instanceof JsonError) return refuse(` (${error.message})`)
    throw error
  }
}

const readHeader = async (file: OpenFile, allowance: Allowance) => {
  const { path, sizeBytes } = file
  if (sizeBytes < LENGTH_BYTES) throw new ModelError(`${path} is not a safetensors file: it has ${sizeBytes} bytes.`)
  const headerBytes = Number((await readExactly(file, 0, LENGTH_BYTES)).readBigUInt64LE())
  if (LENGTH_BYTES + headerBytes > sizeBytes) {
    throw new ModelError(`${path} is not a whole safetensors file: its header claims ${headerBytes} of ${sizeBytes} bytes.`)
  }
  allowance.take(path, 'header', headerBytes)
  const entries = parseHeader(path, await readExactly(file, LENGTH_BYTES, headerBytes))
  return { entries, dataStart: LENGTH_BYTES + headerBytes }
}

const parseEntry = ({ path, sizeBytes: fileBytes }: OpenFile, name: string, entry: unknown, dataStart: number): TensorInfo => {
  if (!Entry.Check(entry)) throw new ModelError(`${path}: the header entry of tensor ${name} is malformed.`)
  const { dtype, shape } = entry
  const [begin, end] = entry.data_offsets
  if (!isDtype(dtype)) throw new ModelError(`${path}: tensor ${name} has type ${dtype}, which is not supported.`)
  const sizeBytes = tensorBytes({ dtype, shape })
  if (end - begin !== sizeBytes || dataStart + end > fileBytes) {
    throw new ModelError(
      `${path}: tensor ${name} takes ${sizeBytes} bytes, but its place is ${begin}..${end} of ${fileBytes - dataStart}.`
    )
  }
  return { name, dtype, shape, file: path, offset: dataStart + begin, sizeBytes }
}

/** Every byte belongs to one tensor, or what one reader sees is not what another sees. */
const refuseGaps = ({ path, sizeBytes }: OpenFile, tensors: readonly TensorInfo[], dataStart: number): void => {
  let [end, last] = [dataStart, 'the header']
  for (const { name, ...tensor } of tensors.toSorted((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes)) {
    if (tensor.offset < end) throw new ModelError(`${path}: tensors ${last} and ${name} overlap.`)
    if (tensor.offset > end)
      throw new ModelError(`${path}: the ${tensor.offset - end} bytes between ${last} and tensor ${name} belong to no tensor.`)
    ;[end, last] = [tensor.offset + tensor.sizeBytes, name]
  }
  if (end < sizeBytes) throw new ModelError(`${path}: the last ${sizeBytes - end} bytes belong to no tensor.`)
}

/**
 * Reads the header of a safetensors file; the values stay on disk.
 * @throws ModelError in one sentence when the file is truncated, malformed or of another kind.
 */
export const readSafetensors = async (path: string, allowance = new Allowance()): Promise<TensorMap> => {
  const file = await openFile(path)
  try {
    const { entries, dataStart } = await readHeader(file, allowance)
    const tensors = entries.map(([name, entry]) => parseEntry(file, name, entry, dataStart))
    if (tensors.length === 0) throw new ModelError(`${path} has no tensors.`)
    refuseGaps(file, tensors, dataStart)
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
