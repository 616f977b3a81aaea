import { type OpenFile, readInOrder } from './open-file.ts'
import { DTYPE_BYTES, type TensorInfo } from './tensor-info.ts'

/** A tensor whose values do not lie in the file as one run. */
export interface View {
  /** `offset` is where the first value lies. */
  info: TensorInfo
  /** Elements of the storage between neighbours of each axis. */
  stride: readonly number[]
  /** From the beginning of the first value to the end of the last. */
  spanBytes: number
}

type Words = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>

interface Axis {
  size: number
  step: number
}

/** Axes that move through the values, in words; values of 8 bytes are two words, which are an axis of their own. */
const axesOf = ({ info: { dtype, shape }, stride }: View): Axis[] => {
  const words = DTYPE_BYTES[dtype] === 8 ? 2 : 1
  const axes = shape.map((size, axis) => ({ size, step: (stride[axis] ?? 0) * words }))
  return [...axes, { size: words, step: 1 }].filter(({ size }) => size !== 1)
}

const wordsOf = (bytes: Uint8Array<ArrayBuffer>, width: number): Words =>
  width === 1 ? bytes : width === 2 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer)

/** Fills `target` in row-major order. */
const gather = (source: Words, target: Words, axes: readonly Axis[]): void => {
  let filled = 0
  const fill = (axis: number, from: number): void => {
    const { size, step } = axes[axis] ?? { size: 1, step: 0 }
    const isLast = axis >= axes.length - 1
    for (let i = 0; i < size; i++) {
      if (isLast) target[filled++] = source[from + i * step] ?? 0
      else fill(axis + 1, from + i * step)
    }
  }
  if (target.length > 0) fill(0, 0)
}

/** Gives each view its values in row-major order. However many views there are, the file is gone through once. */
export const copyViews = async (file: OpenFile, views: readonly View[]): Promise<void> => {
  const read = readInOrder(file)
  for (const view of views.toSorted((a, b) => a.info.offset - b.info.offset)) {
    const { offset, sizeBytes, dtype } = view.info
    const width = Math.min(DTYPE_BYTES[dtype], Uint32Array.BYTES_PER_ELEMENT)
    const source = new Uint8Array(await read(offset, view.spanBytes))
    const data = new Uint8Array(sizeBytes)
    gather(wordsOf(source, width), wordsOf(data, width), axesOf(view))
    view.info.data = data
  }
}
