import { type FileHandle, open } from 'node:fs/promises'
import { ModelError } from '../errors.ts'
import { DTYPE_BYTES, type Dtype, elementCount, type TensorInfo, type TensorMap } from './tensor-info.ts'
import { type Pickled, PickleError, Tensor, unpickle } from './unpickle.ts'
import { readZipDirectory, type ZipEntry } from './zip.ts'

/** The pickle of the published checkpoints has some 100 KB; the values are not in it. */
const MAX_PICKLE_BYTES = 16 * 2 ** 20
/** Views that are not contiguous must be copied; weights never are so large a part of a model. */
const MAX_COPIED_BYTES = 256 * 2 ** 20

const DTYPES: Readonly<Record<string, Dtype>> = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  IntStorage: 'I32',
  LongStorage: 'I64',
  ByteStorage: 'U8'
}

/** Which part of a training checkpoint is wanted. */
export type CheckpointRole = 'tokenizer' | 'transformer'
/** Where the reference's trainer keeps each. */
const TRAINER_KEYS = { tokenizer: 'vae_local', transformer: 'var_wo_ddp' } as const

const readPickle = async (handle: FileHandle, path: string, entries: readonly ZipEntry[]) => {
  const pickle = entries.find(({ name }) => name.endsWith('/data.pkl'))
  if (!pickle) throw new ModelError(`${path} is not a torch checkpoint: the archive has no data.pkl.`)
  if (pickle.sizeBytes > MAX_PICKLE_BYTES)
    throw new ModelError(`${path} is not a checkpoint of tensors: its pickle has ${pickle.sizeBytes} bytes.`)
  const bytes = Buffer.alloc(pickle.sizeBytes)
  await handle.read(bytes, 0, bytes.length, pickle.offset)
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

const contiguousStride = (shape: readonly number[]): number[] => {
  let step = 1
  return shape
    .toReversed()
    .map((size) => {
      const stride = step
      step *= size
      return stride
    })
    .reverse()
}

const isContiguous = ({ shape, stride }: Tensor): boolean => {
  const expected = contiguousStride(shape)
  return shape.every((size, axis) => size === 1 || stride[axis] === expected[axis])
}

interface Place {
  path: string
  name: string
  dtype: Dtype
  entry: ZipEntry
}

/** Where a tensor's storage lies; checks that the tensor stays inside it. */
const placeOf = (path: string, name: string, tensor: Tensor, entries: ReadonlyMap<string, ZipEntry>): Place => {
  const { storage, shape, stride, offset } = tensor
  const dtype = DTYPES[storage.type]
  if (!dtype) throw new ModelError(`${path}: tensor ${name} has the type ${storage.type}, which is not supported.`)
  const entry = entries.get(storage.key)
  if (!entry) throw new ModelError(`${path}: the values of tensor ${name} are missing.`)
  const isEmpty = shape.includes(0)
  const last = isEmpty ? -1 : shape.reduce((sum, size, axis) => sum + (size - 1) * (stride[axis] ?? 0), offset)
  if (!Number.isSafeInteger(last) || (last + 1) * DTYPE_BYTES[dtype] > entry.sizeBytes) {
    throw new ModelError(`${path}: tensor ${name} reaches beyond its ${entry.sizeBytes} bytes of values.`)
  }
  return { path, name, dtype, entry }
}

/** Values of a view that is not contiguous, copied into row-major order. */
const copyView = async (handle: FileHandle, tensor: Tensor, { path, name, dtype, entry }: Place): Promise<Uint8Array> => {
  const width = DTYPE_BYTES[dtype]
  const sizeBytes = elementCount(tensor.shape) * width
  // A view that repeats its values could claim any size.
  if (sizeBytes > entry.sizeBytes || entry.sizeBytes > MAX_COPIED_BYTES) {
    throw new ModelError(`${path}: tensor ${name} is a view that repeats its values or is too large to be copied.`)
  }
  const storage = Buffer.alloc(entry.sizeBytes)
  await handle.read(storage, 0, storage.length, entry.offset)
  const copy = Buffer.alloc(sizeBytes)
  const index = tensor.shape.map(() => 0)
  for (let at = 0; at < sizeBytes; at += width) {
    const element = index.reduce((sum, i, axis) => sum + i * (tensor.stride[axis] ?? 0), tensor.offset)
    storage.copy(copy, at, element * width, (element + 1) * width)
    for (let axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = ((index[axis] ?? 0) + 1) % (tensor.shape[axis] ?? 1)
      if (index[axis] !== 0) break
    }
  }
  return copy
}

const tensorInfo = async (handle: FileHandle, tensor: Tensor, place: Place): Promise<TensorInfo> => {
  const { path, name, dtype, entry } = place
  const sizeBytes = elementCount(tensor.shape) * DTYPE_BYTES[dtype]
  const info = {
    name,
    dtype,
    shape: tensor.shape,
    file: path,
    offset: entry.offset + tensor.offset * DTYPE_BYTES[dtype],
    sizeBytes
  }
  return isContiguous(tensor) ? info : { ...info, data: await copyView(handle, tensor, place) }
}

/**
 * Reads the names, shapes and places of a torch checkpoint (`torch.save`, zip format): a flat state dict, or the training
 * checkpoint of the reference, of which `role` says the part. Contiguous values stay on disk.
 * @throws ModelError in one sentence for a file that is broken, hostile or something else. Nothing in it is executed.
 */
export const readPth = async (path: string, role: CheckpointRole): Promise<TensorMap> => {
  const handle = await open(path, 'r')
  try {
    const entries = await readZipDirectory(handle, path)
    const { root, folder } = await readPickle(handle, path, entries)
    const prefix = `${folder}data/`
    const values = new Map(
      entries.filter(({ name }) => name.startsWith(prefix)).map((entry) => [entry.name.slice(prefix.length), entry])
    )
    const tensors = new Map<string, TensorInfo>()
    for (const [name, tensor] of stateDict(path, root, role)) {
      if (typeof name !== 'string' || !(tensor instanceof Tensor)) continue
      tensors.set(name, await tensorInfo(handle, tensor, placeOf(path, name, tensor, values)))
    }
    if (tensors.size === 0) throw new ModelError(`${path} has no tensors.`)
    return tensors
  } finally {
    await handle.close()
  }
}
