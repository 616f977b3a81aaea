import { basename } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { elementCount, type TensorInfo } from '../checkpoint/tensor-info.ts'

/** Name of a value in the graph. */
export type Value = string
export type ElementType = 'float' | 'int64' | 'uint8'
/** A fixed size, or the name of one that is known only when the graph runs. */
export type Dimension = number | string

type AttributeValue = number | string | readonly number[] | { float: number }

const ELEMENT_TYPES: Record<ElementType, DataType> = {
  float: DataType.FLOAT,
  int64: DataType.INT64,
  uint8: DataType.UINT8
}
const WEIGHT_TYPES = { F32: DataType.FLOAT, F16: DataType.FLOAT16, BF16: DataType.BFLOAT16 } as const
const IR_VERSION = 10n
const OPSET_VERSION = 22n

const attribute = (name: string, value: AttributeValue): AttributeProto => {
  const type = AttributeProto_AttributeType
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: type.INT, i: BigInt(value) })
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: type.STRING, s: new TextEncoder().encode(value) })
  if ('float' in value) return create(AttributeProtoSchema, { name, type: type.FLOAT, f: value.float })
  return create(AttributeProtoSchema, { name, type: type.INTS, ints: value.map(BigInt) })
}

const valueInfo = (name: string, elementType: ElementType, shape?: readonly Dimension[]): ValueInfoProto => {
  const dim = shape?.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } }
  )
  const tensor = { elemType: ELEMENT_TYPES[elementType], ...(dim && { shape: { dim } }) }
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensor } } })
}

/** A weight’s values: where they lie in the checkpoint, or the values themselves where they do not lie there as one run. */
const valuesOf = ({ data, file, offset, sizeBytes }: TensorInfo) => {
  if (data) return { rawData: Uint8Array.from(data) }
  const place = { location: basename(file), offset: String(offset), length: String(sizeBytes) }
  return {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(place).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }))
  }
}

/**
 * Collects nodes and weights of an ONNX graph. Weights are not copied: they become external data that points
 * at the checkpoint, so a graph of any model is a few kilobytes.
 */
export class GraphBuilder {
  readonly #name: string
  readonly #nodes: NodeProto[] = []
  readonly #initializers = new Map<string, TensorProto>()
  readonly #inputs: ValueInfoProto[] = []
  readonly #outputs: ValueInfoProto[] = []
  readonly #cast = new Map<string, Value>()
  #count = 0

  constructor(name: string) {
    this.#name = name
  }

  input(name: string, elementType: ElementType, shape: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(name, elementType, shape))
    return name
  }

  output(name: string, value: Value, elementType: ElementType): void {
    this.#nodes.push(create(NodeProtoSchema, { opType: 'Identity', input: [value], output: [name] }))
    this.#outputs.push(valueInfo(name, elementType))
  }

  /** Adds a node with one output. An empty input name leaves an optional input out. */
  op(opType: string, inputs: readonly Value[], attributes: Record<string, AttributeValue> = {}): Value {
    return this.split(opType, inputs, 1, attributes)[0]
  }

  /** Adds a node with several outputs. */
  split(
    opType: string,
    inputs: readonly Value[],
    count: number,
    attributes: Record<string, AttributeValue> = {}
  ): [Value, ...Value[]] {
    const name = `${opType}_${this.#count++}`
    const rest = Array.from({ length: count - 1 }, (_, index) => `${name}:${index + 1}`)
    const output: [Value, ...Value[]] = [`${name}:0`, ...rest]
    const attributeProtos = Object.entries(attributes).map(([key, value]) => attribute(key, value))
    this.#nodes.push(create(NodeProtoSchema, { name, opType, input: [...inputs], output, attribute: attributeProtos }))
    return output
  }

  /** A constant of the graph's own, kept inside the graph. */
  floats(values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]): Value {
    const data = Float32Array.from(values)
    return this.#constant(DataType.FLOAT, new Uint8Array(data.buffer), shape)
  }

  ints(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const data = BigInt64Array.from(values, BigInt)
    return this.#constant(DataType.INT64, new Uint8Array(data.buffer), shape)
  }

  scalar(value: number): Value {
    return this.floats([value], [])
  }

  /** A weight as fp32, read from the checkpoint by the runtime. Half precision is widened once, when the session is made. */
  weight(tensor: TensorInfo): Value {
    const known = this.#cast.get(tensor.name)
    if (known) return known
    if (tensor.dtype !== 'F32' && tensor.dtype !== 'F16' && tensor.dtype !== 'BF16') {
      throw new TypeError(`${tensor.name} is ${tensor.dtype}, not a floating-point weight`)
    }
    const common = { name: tensor.name, dataType: WEIGHT_TYPES[tensor.dtype], dims: tensor.shape.map(BigInt) }
    this.#initializers.set(tensor.name, create(TensorProtoSchema, { ...common, ...valuesOf(tensor) }))
    const value = tensor.dtype === 'F32' ? tensor.name : this.op('Cast', [tensor.name], { to: DataType.FLOAT })
    this.#cast.set(tensor.name, value)
    return value
  }

  cast(value: Value, to: ElementType): Value {
    return this.op('Cast', [value], { to: ELEMENT_TYPES[to] })
  }

  reshape(value: Value, shape: readonly number[]): Value {
    return this.op('Reshape', [value, this.ints(shape)])
  }

  /** The graph as the bytes of an ONNX model. */
  build(): Uint8Array {
    const graph = create(GraphProtoSchema, {
      name: this.#name,
      node: this.#nodes,
      initializer: [...this.#initializers.values()],
      input: this.#inputs,
      output: this.#outputs
    })
    const opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: OPSET_VERSION })]
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { irVersion: IR_VERSION, producerName: 'nextscale', opsetImport, graph })
    )
  }

  #constant(dataType: DataType, rawData: Uint8Array<ArrayBuffer>, shape: readonly number[]): Value {
    if (rawData.length % Math.max(elementCount(shape), 1) !== 0) throw new RangeError(`constant does not fill ${shape.join('x')}`)
    const key = `${dataType}|${shape.join('x')}|${rawData.length <= 64 ? Buffer.from(rawData).toString('base64') : this.#count++}`
    if (!this.#initializers.has(key)) {
      this.#initializers.set(key, create(TensorProtoSchema, { name: key, dataType, dims: shape.map(BigInt), rawData }))
    }
    return key
  }
}
