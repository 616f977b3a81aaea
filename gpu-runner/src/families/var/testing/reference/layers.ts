import { channel, type FeatureMap, featureMap, type Matrix, matrix, row, rowsOf } from './tensors.ts'
import type { ReferenceWeights } from './weights.ts'

const NORM_EPSILON = 1e-6
const GROUPS = 32

export const silu = (x: number): number => x / (1 + Math.exp(-x))

/** The tanh form of GELU: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
export const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

export const softmax = (logits: Float64Array): Float64Array => {
  const greatest = logits.reduce((a, b) => Math.max(a, b))
  const weights = logits.map((logit) => Math.exp(logit - greatest))
  const total = weights.reduce((a, b) => a + b)
  return weights.map((weight) => weight / total)
}

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** x [rows, in], weight [out, in], bias [out] to [rows, out]. */
export const affine = (x: Matrix, weight: Float64Array, bias: Float64Array): Matrix => {
  const weights = matrix(bias.length, x.columns, weight)
  const inputs = rowsOf(x)
  const y = matrix(x.rows, bias.length)
  for (let output = 0; output < y.columns; output++) {
    const weightsOfOutput = row(weights, output)
    inputs.forEach((input, i) => (y.data[i * y.columns + output] = dot(input, weightsOfOutput) + (bias[output] ?? 0)))
  }
  return y
}

/** A PyTorch Linear. */
export const linear = (weights: ReferenceWeights, name: string, x: Matrix): Matrix =>
  affine(x, weights.take(`${name}.weight`), weights.take(`${name}.bias`))

/** (x - mean) / sqrt(variance + 1e-6). */
export const normalise = (x: Float64Array): Float64Array => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
  return x.map((value) => (value - mean) / Math.sqrt(variance + NORM_EPSILON))
}

/** Group norm with 32 groups of neighbouring channels, then weight and bias per channel. */
export const groupNorm = (weights: ReferenceWeights, name: string, x: FeatureMap): FeatureMap => {
  const [scale, shift] = [weights.take(`${name}.weight`), weights.take(`${name}.bias`)]
  const y = featureMap(x.channels, x.side)
  const groupLength = y.data.length / GROUPS
  for (let begin = 0; begin < y.data.length; begin += groupLength) {
    y.data.set(normalise(x.data.subarray(begin, begin + groupLength)), begin)
  }
  for (let c = 0; c < y.channels; c++) {
    const values = channel(y, c)
    values.set(values.map((value) => value * (scale[c] ?? 0) + (shift[c] ?? 0)))
  }
  return y
}

export const siluMap = ({ data, channels, side }: FeatureMap): FeatureMap => featureMap(channels, side, data.map(silu))

/** The map inside a larger one of zeros. */
const pad = (x: FeatureMap, before: number, after: number): FeatureMap => {
  const padded = featureMap(x.channels, x.side + before + after)
  for (let c = 0; c < x.channels; c++) {
    const [from, to] = [channel(x, c), channel(padded, c)]
    for (let y = 0; y < x.side; y++) to.set(from.subarray(y * x.side, (y + 1) * x.side), (y + before) * padded.side + before)
  }
  return padded
}

export interface ConvolutionOptions {
  kernel?: 1 | 3
  stride?: 1 | 2
  padBefore?: number
  padAfter?: number
}

interface FilterRow {
  source: Float64Array
  /** First sample that the row of the kernel touches. */
  begin: number
  sourceSide: number
  stride: number
  /** One row of a kernel: one or three weights, at `weightsBegin` of all. */
  weights: Float64Array
  weightsBegin: number
  taps: 1 | 3
}

/** target[y, x] += sum over the taps of weight[tap] * source[begin + y * stride * sourceSide + x * stride + tap]. */
const addFiltered = (target: Float64Array, side: number, filter: FilterRow): void => {
  const { source, begin, sourceSide, stride, weights, weightsBegin, taps } = filter
  const weight = (tap: number) => (tap < taps ? (weights[weightsBegin + tap] ?? 0) : 0)
  const [left, middle, right] = [weight(0), weight(1), weight(2)]
  for (let y = 0; y < side; y++) {
    let at = begin + y * stride * sourceSide
    for (let i = y * side; i < (y + 1) * side; i++, at += stride) {
      // With one weight the other two are 0, but there is no third sample to read at the end of the map.
      const others = taps === 1 ? 0 : middle * (source[at + 1] ?? 0) + right * (source[at + 2] ?? 0)
      target[i] = (target[i] ?? 0) + left * (source[at] ?? 0) + others
    }
  }
}

/** A PyTorch Conv2d: cross-correlation with weight [out, in, kernel, kernel], plus bias [out]. */
export const convolve = (
  weights: ReferenceWeights,
  name: string,
  x: FeatureMap,
  { kernel = 3, stride = 1, padBefore = (kernel - 1) / 2, padAfter = padBefore }: ConvolutionOptions = {}
): FeatureMap => {
  const [weight, bias] = [weights.take(`${name}.weight`), weights.take(`${name}.bias`)]
  const padded = pad(x, padBefore, padAfter)
  const result = featureMap(bias.length, Math.floor((padded.side - kernel) / stride) + 1)
  for (let output = 0; output < result.channels; output++) {
    const plane = channel(result, output).fill(bias[output] ?? 0)
    for (let input = 0; input < x.channels; input++) {
      for (let tapRow = 0; tapRow < kernel; tapRow++) {
        addFiltered(plane, result.side, {
          source: padded.data,
          begin: (input * padded.side + tapRow) * padded.side,
          sourceSide: padded.side,
          stride,
          weights: weight,
          weightsBegin: ((output * x.channels + input) * kernel + tapRow) * kernel,
          taps: kernel
        })
      }
    }
  }
  return result
}
