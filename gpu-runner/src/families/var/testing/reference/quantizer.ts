import { enlargeBicubic, reduceByArea } from './interpolate.ts'
import { convolve } from './layers.ts'
import { addMaps, type FeatureMap, featureMap, mapOfRows, matrix, type Matrix, pixelRows, row, stack } from './tensors.ts'
import type { Reference } from './weights.ts'

/** numpy.linspace(low, 1 - low, count) in its own order of operations: two ties of ten scales are decided by rounding. */
const ticks = (count: number): number[] => {
  const low = count === 4 ? 1 / 3 / count : 1 / 2 / count
  const high = 1 - low
  const step = (high - low) / (count - 1)
  return Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? high : i === 0 ? low : i * step + low))
}

/** Which phi scale k uses: the first of the ticks nearest to k / (S - 1). */
export const phiOfScale = (k: number, scales: number, count: number): number => {
  const distances = ticks(count).map((tick) => Math.abs(tick - k / (scales - 1)))
  return distances.indexOf(Math.min(...distances))
}

/** Codes [n^2, channels] of tokens. */
export const lookUp = ({ shape, tokenizer }: Reference, tokens: ArrayLike<number>): Matrix => {
  const { channels } = shape.tokenizer
  const codes = Array.from(tokens, (token) => matrix(1, channels, tokenizer.row('quantize.embedding.weight', token, channels)))
  return stack(codes)
}

/** What the codes [n_k^2, channels] of scale k add to the running sum: enlarged to full size, then through phi. */
export const contribution = ({ shape, tokenizer }: Reference, scale: number, codes: Matrix): FeatureMap => {
  const { phis, phiShare } = shape.tokenizer
  const full = enlargeBicubic(mapOfRows(codes), shape.side)
  const phi = phiOfScale(scale, shape.scales.length, phis)
  const convolved = convolve(tokenizer, `quantize.quant_resi.qresi_ls.${phi}`, full)
  const blended = full.data.map((value, i) => (1 - phiShare) * value + phiShare * (convolved.data[i] ?? Number.NaN))
  return featureMap(full.channels, full.side, blended)
}

/** The code nearest to a vector [channels], and by how much the next one is farther (squared distance). */
const nearestCode = ({ shape, tokenizer }: Reference, vector: Float64Array): { token: number; margin: number } => {
  const codes = tokenizer.take('quantize.embedding.weight')
  let [token, least, second] = [-1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let candidate = 0; candidate < shape.tokenizer.vocabulary; candidate++) {
    let distance = 0
    for (let i = 0; i < vector.length; i++) distance += ((vector[i] ?? 0) - (codes[candidate * vector.length + i] ?? 0)) ** 2
    if (distance < least) [token, least, second] = [candidate, distance, least]
    else second = Math.min(second, distance)
  }
  return { token, margin: second - least }
}

export interface QuantizedScale {
  /** n_k^2 of them */
  tokens: Int32Array
  /** How much farther the second nearest code is, per token: a small one may fall the other way in fp32. */
  margins: Float64Array
}

/** Residual quantisation of features [channels, side, side]: tokens of every scale. */
export const quantizeReference = (reference: Reference, features: FeatureMap): QuantizedScale[] => {
  let rest = features
  return reference.shape.scales.map((n, scale) => {
    const vectors = pixelRows(reduceByArea(rest, n))
    const nearest = Array.from({ length: n * n }, (_, position) => nearestCode(reference, row(vectors, position)))
    const tokens = Int32Array.from(nearest, ({ token }) => token)
    const added = contribution(reference, scale, lookUp(reference, tokens))
    rest = addMaps(rest, { ...added, data: added.data.map((value) => -value) })
    return { tokens, margins: Float64Array.from(nearest, ({ margin }) => margin) }
  })
}
