import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'
import type { Weights } from '../../../model/weights.ts'

const NORM_EPSILON = 1e-6
const GROUPS = 32

/** x [rows, in] times a PyTorch Linear's weight [out, in], plus its bias: [rows, out]. */
export const linear = (g: GraphBuilder, weights: Weights, name: string, x: Value, [input, output]: [number, number]): Value =>
  g.op('Gemm', [x, g.weight(weights.take(`${name}.weight`, [output, input])), g.weight(weights.take(`${name}.bias`, [output]))], {
    transB: 1
  })

/** Layer norm over the last axis, without affine. */
export const layerNorm = (g: GraphBuilder, x: Value, width: number): Value =>
  g.op('LayerNormalization', [x, g.floats(new Float32Array(width).fill(1))], { axis: -1, epsilon: { float: NORM_EPSILON } })

export const silu = (g: GraphBuilder, x: Value): Value => g.op('Mul', [x, g.op('Sigmoid', [x])])

/** Padding that keeps the size. */
export const samePads = (kernel: 1 | 3): number[] => new Array<number>(4).fill((kernel - 1) / 2)

/** Convolution with padding that keeps the size. x [B, in, h, w] to [B, out, h, w]. */
export const conv = (
  g: GraphBuilder,
  weights: Weights,
  name: string,
  x: Value,
  [input, output]: [number | null, number | null],
  kernel: 1 | 3 = 3
): Value => {
  const weight = weights.take(`${name}.weight`, [output, input, kernel, kernel])
  const bias = weights.take(`${name}.bias`, [weight.shape[0] ?? null])
  return g.op('Conv', [x, g.weight(weight), g.weight(bias)], { kernel_shape: [kernel, kernel], pads: samePads(kernel) })
}

/** Mean and variance of every group of x [B, C, h, w], each [B, groups, 1]. One pass each. */
const groupStatistics = (g: GraphBuilder, x: Value): { mean: Value; variance: Value } => {
  const rows = g.reshape(x, [0, 0, 1, -1])
  const squares = g.runtimeOp('FusedMatMul', [rows, rows], { transB: 1 })
  const rowLength = g.cast(g.op('Shape', [rows], { start: 3, end: 4 }), 'float')
  const groupMean = (values: Value) => g.op('ReduceMean', [g.reshape(values, [0, GROUPS, -1]), g.ints([2])], { keepdims: 1 })
  const mean = groupMean(x)
  const meanSquare = g.op('Div', [groupMean(squares), rowLength])
  return { mean, variance: g.op('Max', [g.op('Sub', [meanSquare, g.op('Mul', [mean, mean])]), g.scalar(0)]) }
}

/** In fp32: a multiplication and an addition per channel, which is faster than an instance norm and its affine part. */
const floatGroupNorm = (g: GraphBuilder, x: Value, weight: Value, bias: Value): Value => {
  const { mean, variance } = groupStatistics(g, x)
  const deviation = g.op('Sqrt', [g.op('Add', [variance, g.scalar(NORM_EPSILON)])])
  const grouped = (value: Value) => g.reshape(value, [1, GROUPS, -1])
  const scale = g.op('Div', [grouped(weight), deviation])
  const shift = g.op('Sub', [grouped(bias), g.op('Mul', [mean, scale])])
  const perChannel = (value: Value) => g.op('Unsqueeze', [g.reshape(value, [0, -1]), g.ints([2, 3])])
  return g.op('Add', [g.op('Mul', [x, perChannel(scale)]), perChannel(shift)])
}

/** In half precision, whose range sums of squares would leave: each group is one channel of an instance norm. */
const halfGroupNorm = (g: GraphBuilder, x: Value, weight: Value, bias: Value): Value => {
  const ones = g.floats(new Array<number>(GROUPS).fill(1))
  const zeros = g.floats(new Array<number>(GROUPS).fill(0))
  const grouped = g.reshape(x, [0, GROUPS, -1])
  const normalised = g.op('InstanceNormalization', [grouped, ones, zeros], { epsilon: { float: NORM_EPSILON } })
  const restored = g.op('Reshape', [normalised, g.op('Shape', [x])])
  const perChannel = (value: Value) => g.reshape(value, [1, -1, 1, 1])
  return g.op('Add', [g.op('Mul', [restored, perChannel(weight)]), perChannel(bias)])
}

/** Group norm with 32 groups, for which the CPU provider has no kernel of that name. x [B, C, h, w], of which B may vary. */
export const groupNorm = (g: GraphBuilder, weights: Weights, name: string, x: Value, channels: number): Value => {
  const affine = (suffix: string) => g.weight(weights.take(`${name}.${suffix}`, [channels]))
  return (g.float === 'float' ? floatGroupNorm : halfGroupNorm)(g, x, affine('weight'), affine('bias'))
}
