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
import { elementCount, type FloatTensor, type TensorInfo } from '../checkpoint/tensor-info.ts'

/** Name of a value in the graph. */
export type Value = string
export type ElementType = 'float' | 'float16' | 'int64' | 'int32' | 'int8' | 'uint8'
/** What a graph computes in. */
export type FloatType = 'float' | 'float16'
/** A fixed size, or the name of one that is known only when the graph runs. */
export type Dimension = number | string

type AttributeValue = number | string | readonly number[] | { float: number }

const ELEMENT_TYPES: Record<ElementType, DataType> = {
  float: DataType.FLOAT,
  float16: DataType.FLOAT16,
  int8: DataType.INT8,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8
}
const WEIGHT_TYPES = { F32: DataType.FLOAT, F16: DataType.FLOAT16, BF16: DataType.BFLOAT16 } as const
const IR_VERSION = 10n
const OPSET_VERSION = 22n
/** The runtime’s own operators. */
const RUNTIME_DOMAIN = 'com.microsoft'
const RUNTIME_OPSET_VERSION = 1n

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

const WEIGHT_ELEMENT_TYPES = { F32: 'float', F16: 'float16', BF16: undefined } as const

const floatBytes = (values: readonly number[] | Float32Array, type: FloatType): Uint8Array<ArrayBuffer> => {
  const data = type === 'float' ? Float32Array.from(values) : Float16Array.from(values)
  return new Uint8Array(data.buffer)
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
  /** Names that outputs of nodes have in the finished graph. */
  readonly #outputNames = new Map<Value, string>()
  /** What weights and constants are unless asked for otherwise. */
  readonly float: FloatType
  #count = 0

  constructor(name: string, float: FloatType = 'float') {
    this.#name = name
    this.float = float
  }

  input(name: string, elementType: ElementType, shape: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(name, elementType, shape))
    return name
  }

  output(name: string, value: Value, elementType: ElementType): void {
    // The node that makes the value is told the name: an Identity would copy it.
    if (this.#outputNames.has(value))
      this.#nodes.push(create(NodeProtoSchema, { opType: 'Identity', input: [value], output: [name] }))
    else this.#outputNames.set(value, name)
    this.#outputs.push(valueInfo(name, elementType))
  }

  /** Adds a node with one output. An empty input name leaves an optional input out. */
  op(opType: string, inputs: readonly Value[], attributes: Record<string, AttributeValue> = {}): Value {
    return this.split(opType, inputs, 1, attributes)[0]
  }

  /** As `op`, for an operator of the runtime’s own. */
  runtimeOp(opType: string, inputs: readonly Value[], attributes: Record<string, AttributeValue> = {}): Value {
    return this.split(opType, inputs, 1, attributes, RUNTIME_DOMAIN)[0]
  }

  /** Adds a node with several outputs. */
  split(
    opType: string,
    inputs: readonly Value[],
    count: number,
    attributes: Record<string, AttributeValue> = {},
    domain = ''
  ): [Value, ...Value[]] {
    const name = `${opType}_${this.#count++}`
    const rest = Array.from({ length: count - 1 }, (_, index) => `${name}:${index + 1}`)
    const output: [Value, ...Value[]] = [`${name}:0`, ...rest]
    const attributeProtos = Object.entries(attributes).map(([key, value]) => attribute(key, value))
    this.#nodes.push(create(NodeProtoSchema, { name, opType, domain, input: [...inputs], output, attribute: attributeProtos }))
    return output
  }

  /** A constant of the graph's own, kept inside the graph. */
  floats(
    values: readonly number[] | Float32Array,
    shape: readonly number[] = [values.length],
    type: FloatType = this.float
  ): Value {
    return this.#constant(ELEMENT_TYPES[type], floatBytes(values, type), shape)
  }

  bytes(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#constant(DataType.UINT8, Uint8Array.from(values), shape)
  }

  ints(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const data = BigInt64Array.from(values, BigInt)
    return this.#constant(DataType.INT64, new Uint8Array(data.buffer), shape)
  }

  scalar(value: number, type: FloatType = this.float): Value {
    return this.floats([value], [], type)
  }

  /** A weight, read from the checkpoint by the runtime. Another precision is converted once, when the session is made. */
  weight(tensor: FloatTensor, type: FloatType = this.float): Value {
    const key = `${type}|${tensor.name}`
    const known = this.#cast.get(key)
    if (known) return known
    const common = { name: tensor.name, dataType: WEIGHT_TYPES[tensor.dtype], dims: tensor.shape.map(BigInt) }
    this.#initializers.set(tensor.name, create(TensorProtoSchema, { ...common, ...valuesOf(tensor) }))
    const isAsWanted = WEIGHT_ELEMENT_TYPES[tensor.dtype] === type
    const value = isAsWanted ? tensor.name : this.op('Cast', [tensor.name], { to: ELEMENT_TYPES[type] })
    this.#cast.set(key, value)
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
    const rename = (value: Value) => this.#outputNames.get(value) ?? value
    const node = this.#nodes.map((each) => ({ ...each, input: each.input.map(rename), output: each.output.map(rename) }))
    const graph = create(GraphProtoSchema, {
      name: this.#name,
      node,
      initializer: [...this.#initializers.values()],
      input: this.#inputs,
      output: this.#outputs
    })
    const opsetImport = [
      create(OperatorSetIdProtoSchema, { domain: '', version: OPSET_VERSION }),
      create(OperatorSetIdProtoSchema, { domain: RUNTIME_DOMAIN, version: RUNTIME_OPSET_VERSION })
    ]
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
