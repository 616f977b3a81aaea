import { ModelError } from '../errors.ts'
import { Allowance } from './allowance.ts'
import { copyViews, type View } from './copy-views.ts'
import { type OpenFile, openFile, readExactly } from './open-file.ts'
import {
  contiguousStride,
  DTYPE_BYTES,
  type Dtype,
  elementCount,
  type TensorInfo,
  type TensorMap,
  TORCH_STORAGES
} from './tensor-info.ts'
import { type Pickled, PickleError, Tensor, unpickle } from './unpickle.ts'
import { readZipDirectory, type ZipEntry } from './zip.ts'

/** Views that are not contiguous must be copied; weights never are so large a part of a model. */
const MAX_COPIED_BYTES = 64 * 2 ** 20
/** How often the views of a file may copy it, so that a small file takes little memory. */
const MAX_COPIES = 4

const DTYPES: Readonly<Record<string, Dtype>> = Object.fromEntries(
  Object.entries(TORCH_STORAGES).map(([dtype, storage]) => [storage, dtype as Dtype])
)

/** A state dict that may lie within the checkpoint of a trainer, beside what else that saves. */
export interface CheckpointPart {
  /** What it is, for people. */
  name: string
  /** Where a trainer keeps it: a key of the checkpoint, and a key in there. */
  within: readonly [trainer: string, part: string]
}

const readPickle = async (file: OpenFile, entries: readonly ZipEntry[], allowance: Allowance) => {
  const { path } = file
  const [pickle, other] = entries.filter(({ name }) => name.endsWith('/data.pkl'))
  if (other) throw new ModelError(`${path} is refused: the archive has both ${pickle?.name} and ${other.name}.`)
  if (!pickle) throw new ModelError(`${path} is not a torch checkpoint: the archive has no data.pkl.`)
  allowance.take(path, 'pickle', pickle.sizeBytes)
  const bytes = await readExactly(file, pickle.offset, pickle.sizeBytes)
  try {
    return { root: unpickle(bytes), folder: pickle.name.slice(0, -'data.pkl'.length) }
  } catch (error) {
    if (error instanceof PickleError) throw new ModelError(`${path} is refused: ${error.message}.`)
    throw error
  }
}

/** The state dict: the root itself, or the wanted part of a training checkpoint. */
const stateDict = (path: string, root: Pickled, { name, within: [key, part] }: CheckpointPart): Map<string, Pickled> => {
  const trainer = root instanceof Map ? root.get(key) : undefined
  const found = trainer instanceof Map ? trainer.get(part) : root
  if (found instanceof Map) return found
  const where = trainer === undefined ? 'it is no state dict' : `its ${key} has no ${part}`
  throw new ModelError(`${path} has no ${name}: ${where}.`)
}

const isContiguous = ({ shape, stride }: Tensor): boolean => {
  const expected = contiguousStride(shape)
  return shape.every((size, axis) => size === 1 || stride[axis] === expected[axis])
}

interface Place {
  dtype: Dtype
  entry: ZipEntry
  /** Elements of the storage from the tensor's first to its last. */
  span: number
}

/** Where a tensor's storage lies; checks that the tensor stays inside it. */
const placeOf = (path: string, name: string, tensor: Tensor, entries: ReadonlyMap<string, ZipEntry>): Place => {
  const { storage, shape, stride, offset } = tensor
  const dtype = DTYPES[storage.type]
  if (!dtype) throw new ModelError(`${path}: tensor ${name} has the type ${storage.type}, which is not supported.`)
  const entry = entries.get(storage.key)
  if (!entry) throw new ModelError(`${path}: the values of tensor ${name} are missing.`)
  const span = shape.includes(0) ? 0 : shape.reduce((sum, size, axis) => sum + (size - 1) * (stride[axis] ?? 0), 1)
  if (!Number.isSafeInteger(offset + span) || (offset + span) * DTYPE_BYTES[dtype] > entry.sizeBytes) {
    throw new ModelError(`${path}: tensor ${name} reaches beyond its ${entry.sizeBytes} bytes of values.`)
  }
  return { dtype, entry, span }
}

/** Tensors as they are described, and those of them whose values must be copied. */
class Reading {
  readonly tensors = new Map<string, TensorInfo>()
  readonly views: View[] = []
  readonly #file: OpenFile
  #copyableBytes: number

  constructor(file: OpenFile) {
    this.#file = file
    this.#copyableBytes = Math.min(MAX_COPIED_BYTES, MAX_COPIES * file.sizeBytes)
  }

  add(name: string, tensor: Tensor, { dtype, entry, span }: Place): void {
    const { path } = this.#file
    const { shape, stride, offset } = tensor
    const width = DTYPE_BYTES[dtype]
    const sizeBytes = elementCount(shape) * width
    const info: TensorInfo = { name, dtype, shape, file: path, offset: entry.offset + offset * width, sizeBytes }
    this.tensors.set(name, info)
    if (isContiguous(tensor)) return
    const spanBytes = span * width
    this.#copyableBytes -= spanBytes
    // A view that repeats its values could claim any size.
    if (sizeBytes > spanBytes || this.#copyableBytes < 0) {
      throw new ModelError(`${path}: tensor ${name} is a view that repeats its values or is too large to be copied.`)
    }
    this.views.push({ info, stride, spanBytes })
  }
}

/**
 * Reads the names, shapes and places of a torch checkpoint (`torch.save`, zip format): a flat state dict, or the training
 * checkpoint with it inside, as `part` says. Contiguous values stay on disk.
 * @throws ModelError in one sentence for a file that is broken, hostile or something else. Nothing in it is executed.
 */
export const readPth = async (path: string, part: CheckpointPart, allowance = new Allowance()): Promise<TensorMap> => {
  const file = await openFile(path)
  try {
    const entries = await readZipDirectory(file, allowance)
    const { root, folder } = await readPickle(file, entries, allowance)
    const prefix = `${folder}data/`
    const values = new Map(
      entries.filter(({ name }) => name.startsWith(prefix)).map((entry) => [entry.name.slice(prefix.length), entry])
    )
    const reading = new Reading(file)
    for (const [name, tensor] of stateDict(path, root, part)) {
      if (tensor instanceof Tensor) reading.add(name, tensor, placeOf(path, name, tensor, values))
    }
    if (reading.tensors.size === 0) throw new ModelError(`${path} has no tensors.`)
    await copyViews(file, reading.views)
    return reading.tensors
  } finally {
    await file.close()
  }
}
