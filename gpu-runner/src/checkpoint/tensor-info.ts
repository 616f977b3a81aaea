export const DTYPE_BYTES = { F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8, U8: 1 } as const
export type Dtype = keyof typeof DTYPE_BYTES

/** What torch calls a storage of each type. */
export const TORCH_STORAGES: Readonly<Record<Dtype, string>> = {
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I32: 'IntStorage',
  I64: 'LongStorage',
  U8: 'ByteStorage'
}

/** Name, type and sizes of a tensor. */
export interface TensorSpec {
  name: string
  dtype: Dtype
  shape: readonly number[]
}

/** Where a tensor lies on disk. Values are contiguous, row-major and little-endian. */
export interface TensorInfo extends TensorSpec {
  /** Absolute path of the file that holds the values. */
  file: string
  /** Byte offset of the first value in that file. */
  offset: number
  sizeBytes: number
  /** The values themselves, where they do not lie in the file as one run. */
  data?: Uint8Array
}

const FLOAT_DTYPES = ['F32', 'F16', 'BF16'] as const
export type FloatDtype = (typeof FLOAT_DTYPES)[number]
/** A tensor that a graph can have as a weight. */
export type FloatTensor = TensorInfo & { dtype: FloatDtype }

export const isFloat = (tensor: TensorInfo): tensor is FloatTensor => FLOAT_DTYPES.some((dtype) => dtype === tensor.dtype)

/** Tensors of one checkpoint by name. */
export type TensorMap = ReadonlyMap<string, TensorInfo>

export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** Rows begin..end of a tensor's first axis, in the same place on disk. */
export const rowsOf = <T extends TensorInfo>(tensor: T, begin: number, end: number): T => {
  const [, ...rest] = tensor.shape
  const rowBytes = elementCount(rest) * DTYPE_BYTES[tensor.dtype]
  const [from, to] = [begin * rowBytes, end * rowBytes]
  return {
    ...tensor,
    name: `${tensor.name}[${begin}:${end}]`,
    shape: [end - begin, ...rest],
    offset: tensor.offset + from,
    sizeBytes: to - from,
    ...(tensor.data && { data: tensor.data.subarray(from, to) })
  }
}

export const tensorBytes = ({ dtype, shape }: Pick<TensorSpec, 'dtype' | 'shape'>): number =>
  elementCount(shape) * DTYPE_BYTES[dtype]

/** Elements between neighbours of each axis in row-major order. */
export const contiguousStride = (shape: readonly number[]): number[] => {
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
