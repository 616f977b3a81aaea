import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'
import { type Conv3x3, doubledPixels, floatConv3x3 } from './feature-blocks.ts'
import { samePads } from './layers.ts'
import { quantizedWeight } from './products.ts'

/** Least and greatest value. */
export type Range = readonly [least: number, greatest: number]

/** What every 3 x 3 convolution of the blocks is given and gives, by its name in the checkpoint. Plain JSON. */
export type ConvRanges = Readonly<Record<string, { readonly input: Range; readonly output: Range }>>

/**
 * Of sessions that run these convolutions. The runtime would otherwise copy each conversion to fp32 for each of its
 * readers, so as to fuse them with operators that have 8-bit forms; there are none here.
 */
export const QUANTIZED_SESSION_CONFIG = { disable_quant_qdq: '1' } as const

const UINT8_MAX = 255
/** Keeps a range of one value from having steps of size 0. */
const SMALLEST_STEP = 1e-12

/** Step and zero point of unsigned 8-bit values that cover a range. Zero is always among them: images are padded with it. */
const steps = (g: GraphBuilder, [least, greatest]: Range): { step: number; quantisation: [Value, Value] } => {
  const low = Math.min(least, 0)
  // Rounded to what the graph holds, so that the bias below is scaled by the same number.
  const step = Math.fround(Math.max((Math.max(greatest, 0) - low) / UINT8_MAX, SMALLEST_STEP))
  const zero = Math.min(Math.max(Math.round(-low / step), 0), UINT8_MAX)
  return { step, quantisation: [g.scalar(step, 'float'), g.bytes([zero], [])] }
}

/**
 * In 8-bit integers, with one step per tensor for activations and one per output channel for weights. Nothing depends on
 * the values at hand, so an image's result is the same whatever batch it is in. `levels` is the largest weight, 127 or less.
 */
export const quantizedConv3x3 =
  (ranges: ConvRanges, levels: number): Conv3x3 =>
  ({ g, weights }, name, { x, sizes: [input, output], doubled }) => {
    const range = ranges[name]
    if (!range) throw new RangeError(`the calibration has no range for ${name}`)
    const from = steps(g, range.input)
    const to = steps(g, range.output)
    const { values, scale } = quantizedWeight(
      g,
      g.weight(weights.take(`${name}.weight`, [output, input, 3, 3])),
      [1, 2, 3],
      levels
    )
    const bias = g.weight(weights.take(`${name}.bias`, [output]))
    const biasSteps = g.op('Round', [g.op('Div', [bias, g.op('Mul', [scale, g.scalar(from.step)])])])
    const quantised = g.op('QuantizeLinear', [x, ...from.quantisation])
    const zeros = g.cast(g.floats(new Array<number>(output).fill(0)), 'int8')
    const convolved = g.op(
      'QLinearConv',
      [
        doubled ? doubledPixels(g, quantised) : quantised,
        ...from.quantisation,
        values,
        scale,
        zeros,
        ...to.quantisation,
        g.cast(biasSteps, 'int32')
      ],
      { kernel_shape: [3, 3], pads: samePads(3) }
    )
    return g.op('DequantizeLinear', [convolved, ...to.quantisation])
  }

/** Four numbers of a convolution: least and greatest of its input, then of its output. */
export const NUMBERS_PER_RANGE = 4

/** In fp32, noting in `observed` what each convolution is given and gives: fp32 [4] by name. */
export const observedConv3x3 =
  (observed: Map<string, Value>): Conv3x3 =>
  (scope, name, input) => {
    const { g } = scope
    const y = floatConv3x3(scope, name, input)
    const ends = [input.x, y].flatMap((value) => ['ReduceMin', 'ReduceMax'].map((op) => g.op(op, [value], { keepdims: 0 })))
    const column = ends.map((end) => g.reshape(end, [1]))
    observed.set(name, g.op('Concat', column, { axis: 0 }))
    return y
  }
