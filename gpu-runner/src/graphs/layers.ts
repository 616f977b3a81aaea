import type { GraphBuilder, Value } from '../onnx/graph-builder.ts'
import type { Weights } from '../model/weights.ts'

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

/**
 * Group norm with 32 groups. The CPU provider has no kernel of that name, so each group becomes one channel of an
 * instance norm and the affine part follows. x [B, C, h, w], of which B may vary.
 */
export const groupNorm = (g: GraphBuilder, weights: Weights, name: string, x: Value, channels: number): Value => {
  const ones = g.floats(new Array<number>(GROUPS).fill(1))
  const zeros = g.floats(new Array<number>(GROUPS).fill(0))
  const grouped = g.reshape(x, [0, GROUPS, -1])
  const normalised = g.op('InstanceNormalization', [grouped, ones, zeros], { epsilon: { float: NORM_EPSILON } })
  const restored = g.op('Reshape', [normalised, g.op('Shape', [x])])
  const affine = (suffix: string) => g.reshape(g.weight(weights.take(`${name}.${suffix}`, [channels])), [1, channels, 1, 1])
  return g.op('Add', [g.op('Mul', [restored, affine('weight')]), affine('bias')])
}
