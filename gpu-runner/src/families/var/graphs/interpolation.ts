/** Cubic convolution kernel with a = -0.75, as in PyTorch's bicubic mode. */
const cubic = (distance: number): number => {
  const a = -0.75
  const x = Math.abs(distance)
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
  if (x < 2) return a * (x ** 3 - 5 * x ** 2 + 8 * x - 4)
  return 0
}

/** One axis of a bicubic enlargement: row i holds the weights of output sample i. Half-pixel centres, clamped borders. */
const cubicAxis = (from: number, to: number): number[][] =>
  Array.from({ length: to }, (_, output) => {
    const row = new Array<number>(from).fill(0)
    const centre = ((output + 0.5) * from) / to - 0.5
    const first = Math.floor(centre) - 1
    for (let tap = first; tap < first + 4; tap++) {
      const input = Math.min(Math.max(tap, 0), from - 1)
      row[input] = (row[input] ?? 0) + cubic(centre - tap)
    }
    return row
  })

/** One axis of an area reduction: output i is the mean over inputs floor(i r) .. ceil((i + 1) r), r = from / to. */
const areaAxis = (from: number, to: number): number[][] =>
  Array.from({ length: to }, (_, output) => {
    const begin = Math.floor((output * from) / to)
    const end = Math.ceil(((output + 1) * from) / to)
    return Array.from({ length: from }, (_, input) => (input >= begin && input < end ? 1 / (end - begin) : 0))
  })

/** The separable map of both axes as one matrix [from^2, to^2], row-major positions. */
const bothAxes = (axis: number[][], from: number): Float32Array => {
  const to = axis.length
  const matrix = new Float32Array(from * from * to * to)
  for (let input = 0; input < from * from; input++) {
    for (let output = 0; output < to * to; output++) {
      const vertical = axis[Math.floor(output / to)]?.[Math.floor(input / from)] ?? 0
      const horizontal = axis[output % to]?.[input % from] ?? 0
      matrix[input * to * to + output] = vertical * horizontal
    }
  }
  return matrix
}

/** Bicubic enlargement of n x n codes to side x side, as a matrix [n^2, side^2]; the identity when they are equal. */
export const upsampleMatrix = (n: number, side: number): Float32Array => bothAxes(cubicAxis(n, side), n)

/** Area reduction of side x side to n x n, as a matrix [side^2, n^2]. */
export const downsampleMatrix = (side: number, n: number): Float32Array => bothAxes(areaAxis(side, n), side)

/**
 * Which of the shared phi convolutions scale k uses: the nearest tick of linspace(lo, 1 - lo, phis) to k / (scales - 1),
 * lo = 1/12 for four and 1/(2 phis) otherwise. Ties are decided by float64 rounding, in NumPy's order of operations.
 */
export const phiIndex = (k: number, scales: number, phis: number): number => {
  const low = phis === 4 ? 1 / 3 / phis : 1 / 2 / phis
  const high = 1 - low
  const step = (high - low) / (phis - 1)
  const position = k / (scales - 1)
  let nearest = 0
  let smallest = Number.POSITIVE_INFINITY
  for (let index = 0; index < phis; index++) {
    // linspace sets its last sample to the end exactly.
    const tick = index === phis - 1 && phis > 1 ? high : index === 0 ? low : index * step + low
    const distance = Math.abs(tick - position)
    if (distance < smallest) [nearest, smallest] = [index, distance]
  }
  return nearest
}
