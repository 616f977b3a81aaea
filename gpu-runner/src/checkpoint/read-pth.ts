import { ModelError } from '../errors.ts'
import { type OpenFile, openFile, readExactly } from './open-file.ts'
import { plainText } from './plain-text.ts'
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

/** The pickle of the published checkpoints has some 100 KB; the values are not in it. */
const MAX_PICKLE_BYTES = 4 * 2 ** 20
/** Views that are not contiguous must be copied; weights never are so large a part of a model. */
const MAX_COPIED_BYTES = 64 * 2 ** 20

const DTYPES: Readonly<Record<string, Dtype>> = Object.fromEntries(
  Object.entries(TORCH_STORAGES).map(([dtype, storage]) => [storage, dtype as Dtype])
)

/** Which part of a training checkpoint is wanted. */
export type CheckpointRole = 'tokenizer' | 'transformer'
/** Where the reference's trainer keeps each. */
const TRAINER_KEYS = { tokenizer: 'vae_local', transformer: 'var_wo_ddp' } as const

const readPickle = async (file: OpenFile, entries: readonly ZipEntry[]) => {
  const { path } = file
  const pickle = entries.find(({ name }) => name.endsWith('/data.pkl'))
  if (!pickle) throw new ModelError(`${path} is not a torch checkpoint: the archive has no data.pkl.`)
  if (pickle.sizeBytes > MAX_PICKLE_BYTES)
    throw new ModelError(`${path} is not a checkpoint of tensors: its pickle has ${pickle.sizeBytes} bytes.`)
  const bytes = await readExactly(file, pickle.offset, pickle.sizeBytes)
  try {
    return { root: unpickle(bytes), folder: pickle.name.slice(0, -'data.pkl'.length) }
  } catch (error) {
    if (error instanceof PickleError) throw new ModelError(`${path} is refused: ${error.message}.`)
    throw error
  }
}

/** The state dict: the root itself, or the wanted part of a training checkpoint. */
const stateDict = (path: string, root: Pickled, role: CheckpointRole): Map<Pickled, Pickled> => {
  const trainer = root instanceof Map ? root.get('trainer') : undefined
  const found = trainer instanceof Map ? trainer.get(TRAINER_KEYS[role]) : root
  if (found instanceof Map) return found
  const where = trainer === undefined ? 'it is no state dict' : `its trainer has no ${TRAINER_KEYS[role]}`
  throw new ModelError(`${path} has no ${role}: ${where}.`)
}

const isContiguous = ({ shape, stride }: Tensor): boolean => {
  const expected = contiguousStride(shape)
  return shape.every((size, axis) => size === 1 || stride[axis] === expected[axis])
}

interface Place {
  file: OpenFile
  /** The tensor's name as a sentence can have it. */
  label: string
  dtype: Dtype
  entry: ZipEntry
  /** Elements of the storage from the tensor's first to its last. */
  span: number
}

/** Where a tensor's storage lies; checks that the tensor stays inside it. */
const placeOf = (file: OpenFile, name: string, tensor: Tensor, entries: ReadonlyMap<string, ZipEntry>): Place => {
  const { storage, shape, stride, offset } = tensor
  const [{ path }, label] = [file, plainText(name)]
  const dtype = DTYPES[storage.type]
  if (!dtype) throw new ModelError(`${path}: tensor ${label} has the type ${plainText(storage.type)}, which is not supported.`)
  const entry = entries.get(storage.key)
  if (!entry) throw new ModelError(`${path}: the values of tensor ${label} are missing.`)
  const span = shape.includes(0) ? 0 : shape.reduce((sum, size, axis) => sum + (size - 1) * (stride[axis] ?? 0), 1)
  if (!Number.isSafeInteger(offset + span) || (offset + span) * DTYPE_BYTES[dtype] > entry.sizeBytes) {
    throw new ModelError(`${path}: tensor ${label} reaches beyond its ${entry.sizeBytes} bytes of values.`)
  }
  return { file, label, dtype, entry, span }
}

/** Values of a view that is not contiguous, copied into row-major order. */
const copyView = async ({ shape, stride, offset }: Tensor, { file, dtype, entry, span }: Place): Promise<Uint8Array> => {
  const width = DTYPE_BYTES[dtype]
  const storage = await readExactly(file, entry.offset + offset * width, span * width)
  const copy = Buffer.alloc(elementCount(shape) * width)
  const index = shape.map(() => 0)
  let element = 0
  for (let at = 0; at < copy.length; at += width) {
    storage.copy(copy, at, element * width, (element + 1) * width)
    for (let axis = index.length - 1; axis >= 0; axis--) {
      const [step, size] = [stride[axis] ?? 0, shape[axis] ?? 1]
      const next = (index[axis] ?? 0) + 1
      index[axis] = next % size
      element += next === size ? -step * (size - 1) : step
      if (next !== size) break
    }
  }
  return copy
}

/** What is left of the memory for views that must be copied: many small claims could add up to any size. */
interface Budget {
  bytes: number
}

const tensorInfo = async (name: string, tensor: Tensor, place: Place, budget: Budget): Promise<TensorInfo> => {
  const { file, label, dtype, entry, span } = place
  const { shape, offset } = tensor
  const width = DTYPE_BYTES[dtype]
  const info = {
    name,
    dtype,
    shape,
    file: file.path,
    offset: entry.offset + offset * width,
    sizeBytes: elementCount(shape) * width
  }
  if (isContiguous(tensor)) return info
  budget.bytes -= span * width
  // A view that repeats its values could claim any size.
  if (info.sizeBytes > span * width || budget.bytes < 0) {
    throw new ModelError(`${file.path}: tensor ${label} is a view that repeats its values or is too large to be copied.`)
  }
  return { ...info, data: await copyView(tensor, place) }
}

/**
 * Reads the names, shapes and places of a torch checkpoint (`torch.save`, zip format): a flat state dict, or the training
 * checkpoint of the reference, of which `role` says the part. Contiguous values stay on disk.
 * @throws ModelError in one sentence for a file that is broken, hostile or something else. Nothing in it is executed.
 */
export const readPth = async (path: string, role: CheckpointRole): Promise<TensorMap> => {
  const file = await openFile(path)
  try {
    const entries = await readZipDirectory(file)
    const { root, folder } = await readPickle(file, entries)
    const prefix = `${folder}data/`
    const values = new Map(
      entries.filter(({ name }) => name.startsWith(prefix)).map((entry) => [entry.name.slice(prefix.length), entry])
    )
    const tensors = new Map<string, TensorInfo>()
    const budget = { bytes: MAX_COPIED_BYTES }
    for (const [name, tensor] of stateDict(path, root, role)) {
      if (typeof name !== 'string' || !(tensor instanceof Tensor)) continue
      tensors.set(name, await tensorInfo(name, tensor, placeOf(file, name, tensor, values), budget))
    }
    if (tensors.size === 0) throw new ModelError(`${path} has no tensors.`)
    return tensors
  } finally {
    await file.close()
  }
}
