import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { type ConvRanges, NUMBERS_PER_RANGE, type Range } from '../graphs/quantized-conv.ts'
import { floatData, pick } from '../../../onnx/tensors.ts'

/** Digits that are kept: machines differ in later ones. */
const DIGITS = 2

/** The next number of few digits that is not below the value. */
const roundedUp = (value: number): number => {
  if (value === 0) return 0
  const unit = 10 ** (DIGITS - 1 - Math.floor(Math.log10(Math.abs(value))))
  // Through text, so that 0.1 + 0.2 and its like do not show in the file.
  return Number((Math.ceil(value * unit) / unit).toPrecision(DIGITS))
}

/** A range of few digits that holds another. */
export const roundedOutward = ([least, greatest]: Range): Range => [0 - roundedUp(-least), roundedUp(greatest)]

const union = (a: Range, b: Range): Range => [Math.min(a[0], b[0]), Math.max(a[1], b[1])]

interface Calibration {
  /** A session of the calibration graph, and the convolutions it reports on. */
  session: Pick<InferenceSession, 'run'>
  names: readonly string[]
}

/** The ranges of the decoder's convolutions over running sums fp32 [B, channels, side, side], rounded outward. */
export const calibrate = async ({ session, names }: Calibration, fHats: Iterable<Tensor>): Promise<ConvRanges> => {
  const widest = new Map<string, { input: Range; output: Range }>()
  for (const fHat of fHats) {
    const data = floatData(pick(await session.run({ f_hat: fHat }, ['ranges']), 'ranges'))
    names.forEach((name, index) => {
      const [a = 0, b = 0, c = 0, d = 0] = data.subarray(index * NUMBERS_PER_RANGE, (index + 1) * NUMBERS_PER_RANGE)
      const known = widest.get(name) ?? { input: [a, b], output: [c, d] }
      widest.set(name, { input: union(known.input, [a, b]), output: union(known.output, [c, d]) })
    })
  }
  const rounded = [...widest].map(([name, { input, output }]) => [
    name,
    { input: roundedOutward(input), output: roundedOutward(output) }
  ])
  return Object.fromEntries(rounded) as ConvRanges
}
