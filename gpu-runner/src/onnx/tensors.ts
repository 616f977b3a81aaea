import { Tensor } from './onnxruntime.ts'

export const floats = (data: Float32Array, dims: readonly number[]) => new Tensor('float32', data, dims)

export const ints = (values: readonly number[], dims: readonly number[] = [values.length]) =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), dims)

export const zeros = (dims: readonly number[]) =>
  floats(new Float32Array(dims.reduce((product, size) => product * size, 1)), dims)

/** The values of an fp32 tensor. */
export const floatData = (tensor: Tensor): Float32Array => {
  if (tensor.data instanceof Float32Array) return tensor.data
  throw new TypeError(`expected a float32 tensor, got ${tensor.type}`)
}

export const byteData = (tensor: Tensor): Uint8Array => {
  if (tensor.data instanceof Uint8Array) return tensor.data
  throw new TypeError(`expected a uint8 tensor, got ${tensor.type}`)
}

/** int64 values that are known to be small, as numbers. */
export const indexData = (tensor: Tensor): Int32Array => {
  if (tensor.data instanceof BigInt64Array) return Int32Array.from(tensor.data, Number)
  throw new TypeError(`expected an int64 tensor, got ${tensor.type}`)
}

/** An output by name. */
export const pick = (outputs: Record<string, Tensor>, name: string): Tensor => {
  const tensor = outputs[name]
  if (!tensor) throw new TypeError(`the graph gave no output ${name}`)
  return tensor
}

/** Rows of the first axis, in the order asked for. */
export const takeRows = (tensor: Tensor, rows: readonly number[]): Tensor => {
  const data = floatData(tensor)
  const [count = 0, ...rest] = tensor.dims
  const length = count === 0 ? 0 : data.length / count
  const taken = new Float32Array(rows.length * length)
  rows.forEach((row, index) => taken.set(data.subarray(row * length, (row + 1) * length), index * length))
  return floats(taken, [rows.length, ...rest])
}

export const bytes = (data: Uint8Array, dims: readonly number[]) => new Tensor('uint8', data, dims)

/** Gives a tensor's memory back now: keys and values are too large to wait for the garbage collector. */
export const discard = ({ data }: Tensor): void => {
  if (!(data instanceof Float32Array)) throw new TypeError('only float32 tensors are discarded')
  if (data.buffer instanceof ArrayBuffer) data.buffer.transfer(0)
}
