import { channel, type FeatureMap, featureMap } from './tensors.ts'

const A = -0.75

/** Weights of the samples at distances 1 + t, t, 1 - t and 2 - t: Keys' cubic convolution with a = -0.75. */
const cubicWeights = (t: number): number[] => {
  const near = (x: number) => (A + 2) * x ** 3 - (A + 3) * x ** 2 + 1
  const far = (x: number) => A * x ** 3 - 5 * A * x ** 2 + 8 * A * x - 4 * A
  return [far(1 + t), near(t), near(1 - t), far(2 - t)]
}

/** The four samples around an output sample along one axis, with their weights; beyond the border the last one repeats. */
const cubicTaps = (output: number, from: number, to: number): { input: number; weight: number }[] => {
  const position = ((output + 0.5) * from) / to - 0.5
  const floor = Math.floor(position)
  return cubicWeights(position - floor).map((weight, tap) => ({
    input: Math.max(0, Math.min(from - 1, floor - 1 + tap)),
    weight
  }))
}

/** Bicubic enlargement with half-pixel centres and no antialiasing, as PyTorch's interpolate(mode='bicubic'). */
export const enlargeBicubic = (x: FeatureMap, side: number): FeatureMap => {
  const result = featureMap(x.channels, side)
  const taps = Array.from({ length: side }, (_, output) => cubicTaps(output, x.side, side))
  for (let c = 0; c < x.channels; c++) {
    const [from, to] = [channel(x, c), channel(result, c)]
    taps.forEach((vertical, i) => {
      taps.forEach((horizontal, j) => {
        const samples = vertical.flatMap((y) =>
          horizontal.map((z) => y.weight * z.weight * (from[y.input * x.side + z.input] ?? 0))
        )
        to[i * side + j] = samples.reduce((a, b) => a + b)
      })
    })
  }
  return result
}

/** Mean over the inputs that each output covers at least in part, as PyTorch's interpolate(mode='area'). */
export const reduceByArea = (x: FeatureMap, side: number): FeatureMap => {
  const result = featureMap(x.channels, side)
  const begin = (output: number) => Math.floor((output * x.side) / side)
  const end = (output: number) => Math.floor(((output + 1) * x.side + side - 1) / side)
  for (let c = 0; c < x.channels; c++) {
    const [from, to] = [channel(x, c), channel(result, c)]
    for (let output = 0; output < side * side; output++) {
      const [i, j] = [Math.floor(output / side), output % side]
      let sum = 0
      for (let y = begin(i); y < end(i); y++) for (let z = begin(j); z < end(j); z++) sum += from[y * x.side + z] ?? 0
      to[output] = sum / ((end(i) - begin(i)) * (end(j) - begin(j)))
    }
  }
  return result
}
