import { readTensorBytes } from '../../../../checkpoint/read-safetensors.ts'
import type { TensorInfo, TensorMap } from '../../../../checkpoint/tensor-info.ts'
import type { OpenModel } from '../../model/open-model.ts'
import type { ModelShape } from '../../model/shape.ts'
import { halfValue } from '../../../../testing/half.ts'

/** Every weight of one file in float64. */
export class ReferenceWeights {
  readonly #values: ReadonlyMap<string, Float64Array>

  constructor(values: ReadonlyMap<string, Float64Array>) {
    this.#values = values
  }

  names(): string[] {
    return [...this.#values.keys()]
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  take(name: string): Float64Array {
    const values = this.#values.get(name)
    if (!values) throw new Error(`no tensor ${name}`)
    return values
  }

  /** Row `index` of a tensor whose rows have `width` values. */
  row(name: string, index: number, width: number): Float64Array {
    return this.take(name).slice(index * width, (index + 1) * width)
  }
}

/** A model in memory, for the implementation in this folder. */
export interface Reference {
  shape: ModelShape
  tokenizer: ReferenceWeights
  transformer: ReferenceWeights
}

const floatBytes = { F32: 4, F16: 2, BF16: 2 } as const

const readValues = async (tensor: TensorInfo, dtype: keyof typeof floatBytes): Promise<Float64Array> => {
  const bytes = tensor.data ?? (await readTensorBytes(tensor))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = {
    F32: (offset: number) => view.getFloat32(offset, true),
    F16: (offset: number) => halfValue(view.getUint16(offset, true)),
    BF16: (offset: number) => {
      // Half of an fp32: the upper one.
      const wide = new DataView(new ArrayBuffer(4))
      wide.setUint32(0, view.getUint16(offset, true) * 0x10000)
      return wide.getFloat32(0)
    }
  }[dtype]
  return Float64Array.from({ length: bytes.length / floatBytes[dtype] }, (_, i) => read(i * floatBytes[dtype]))
}

const readWeights = async (tensors: TensorMap): Promise<ReferenceWeights> => {
  const values = new Map<string, Float64Array>()
  for (const [name, tensor] of tensors) {
    const { dtype } = tensor
    if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') values.set(name, await readValues(tensor, dtype))
  }
  return new ReferenceWeights(values)
}

export const loadReference = async ({ shape, tokenizer, transformer }: OpenModel): Promise<Reference> => ({
  shape,
  tokenizer: await readWeights(tokenizer.tensors),
  transformer: await readWeights(transformer.tensors)
})
