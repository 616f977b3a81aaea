import type { FloatTensor } from '../../../checkpoint/tensor-info.ts'
import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'

/** Products of one input [rows, in] with any number of weights [out, in], each plus its bias [out]: [rows, out]. */
export type Products = (weight: FloatTensor, bias?: Value) => Value

/** How a graph multiplies matrices. What the input costs (its quantisation, say) is paid once for all its products. */
export type Multiply = (g: GraphBuilder, x: Value) => Products

/** In the graph's own precision. */
export const floatProducts: Multiply = (g, x) => (weight, bias) =>
  g.op('Gemm', [x, g.weight(weight), ...(bias ? [bias] : [])], { transB: 1 })

/** Largest signed 8-bit value that has a negative. */
export const INT8_MAX = 127
/** Where zero lies in unsigned 8-bit activations; the runtime's fast kernels want those unsigned and weights signed. */
export const UINT8_ZERO = 128
/** Keeps rows and columns of zeros from being divided by zero. */
const SMALLEST = 1e-12

/** Largest absolute value over some axes, which stay with size 1. */
const largest = (g: GraphBuilder, x: Value, axes: readonly number[]): Value =>
  g.op('Max', [g.op('ReduceMax', [g.op('Abs', [x]), g.ints(axes)], { keepdims: 1 }), g.scalar(SMALLEST)])

/**
 * 8-bit values of a float weight and the scale of each of its outputs [out]; `inputAxes` are all axes but that of the
 * outputs, `levels` the largest value. Written as operators on constants: the runtime computes them once, when the session is made.
 */
export const quantizedWeight = (g: GraphBuilder, weight: Value, inputAxes: readonly number[], levels: number) => {
  const scale = g.op('Mul', [largest(g, weight, inputAxes), g.scalar(1 / levels)])
  return { values: g.cast(g.op('Round', [g.op('Div', [weight, scale])]), 'int8'), scale: g.reshape(scale, [-1]) }
}

/**
 * In 8-bit integers: every row has its own scale and every output of the weight has its own. Sums of integers are exact,
 * so a row's result is the same whatever rows it is computed with. `levels` is the largest weight, 127 or less.
 */
export const int8Products =
  (levels: number): Multiply =>
  (g, x) => {
    const rowScale = largest(g, x, [-1])
    const zero = g.bytes([UINT8_ZERO], [])
    const step = g.scalar(1 / INT8_MAX)
    const rows = g.op('QuantizeLinear', [g.op('Div', [x, rowScale]), step, zero])
    return (weight, bias) => {
      const transposed = g.op('Transpose', [g.weight(weight)], { perm: [1, 0] })
      const { values, scale } = quantizedWeight(g, transposed, [0], levels)
      const product = g.runtimeOp('MatMulIntegerToFloat', [rows, values, step, scale, zero])
      const restored = g.op('Mul', [product, rowScale])
      return bias ? g.op('Add', [restored, bias]) : restored
    }
  }
