import { basename } from 'node:path'
import { type FloatTensor, isFloat, type TensorMap } from '../checkpoint/tensor-info.ts'
import { ModelError } from '../errors.ts'

/** `null` in an expected shape takes any size. */
export type ExpectedShape = readonly (number | null)[]

/** Tensors of a checkpoint file, handed out only as weights of the shape the caller expects. */
export class Weights {
  readonly path: string
  readonly tensors: TensorMap

  constructor(path: string, tensors: TensorMap) {
    this.path = path
    this.tensors = tensors
  }

  has(name: string): boolean {
    return this.tensors.has(name)
  }

  /**
   * The tensor of that name, which has at least one value.
   * @throws ModelError naming file and tensor when it is missing, its type is no float or its shape is another.
   */
  take(name: string, shape: ExpectedShape): FloatTensor {
    const tensor = this.tensors.get(name)
    const file = basename(this.path)
    if (!tensor) throw new ModelError(`${file} has no tensor ${name}.`)
    const fits = tensor.shape.length === shape.length && shape.every((size, axis) => size === null || size === tensor.shape[axis])
    if (!fits) {
      const expected = shape.map((size) => size ?? 'any').join(' x ')
      throw new ModelError(`${file}: tensor ${name} has shape ${tensor.shape.join(' x ')}, expected ${expected}.`)
    }
    if (tensor.shape.includes(0))
      throw new ModelError(`${file}: tensor ${name} has shape ${tensor.shape.join(' x ')}, so it has no values.`)
    if (!isFloat(tensor)) throw new ModelError(`${file}: tensor ${name} has type ${tensor.dtype}, expected F32, F16 or BF16.`)
    return tensor
  }

  /** Size of one axis of a tensor, for the sizes that only the checkpoint knows. */
  size(name: string, shape: ExpectedShape, axis: number): number {
    return this.take(name, shape).shape[axis] ?? 0
  }

  /** How many consecutive indices i from 0 have a tensor `name(i)`. */
  count(name: (index: number) => string): number {
    let count = 0
    while (this.has(name(count))) count++
    return count
  }

  /** Values over all tensors whose names satisfy a condition. */
  parameters(include: (name: string) => boolean): number {
    let total = 0
    for (const tensor of this.tensors.values()) {
      if (include(tensor.name)) total += tensor.shape.reduce((product, size) => product * size, 1)
    }
    return total
  }
}
