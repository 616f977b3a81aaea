/**
 * Philox 4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 * Any number of a stream is computed from its place alone, so an image never depends on its batch mates.
 */
export type Counter = readonly [number, number, number, number]
export type Key = readonly [number, number]

const ROUNDS = 10
const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85

/** Upper 32 bits of the product of two unsigned 32-bit numbers, by 16-bit halves. */
const multiplyHigh = (a: number, b: number): number => {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const lower = (middle & 0xffff) + aLow * bHigh
  // middle and lower can exceed 32 bits, so their upper parts are taken by division and not by a shift.
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(lower / 0x10000)) >>> 0
}

export const philox = (counter: Counter, key: Key): [number, number, number, number] => {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low0 = Math.imul(MULTIPLIER_0, c0)
    const low1 = Math.imul(MULTIPLIER_1, c2)
    ;[c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1 >>> 0, (high0 ^ c3 ^ k1) >>> 0, low0 >>> 0]
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/**
 * The uniform number of one token: key (seed, 0), counter (position, scale, 0, 0), the first word's upper 24 bits.
 * In [0, 1), exact in fp32.
 */
export const tokenUniform = (seed: number, scale: number, position: number): number =>
  (philox([position, scale, 0, 0], [seed, 0])[0] >>> 8) * 2 ** -24

/** A word as a number strictly between 0 and 1. */
const openUniform = (word: number): number => ((word >>> 8) + 0.5) * 2 ** -24

/** Four neighbouring words of the noise stream: key (seed, 1), counter (quadruple, scale, 0, 0). */
const noiseWords = (seed: number, scale: number, quadruple: number) => philox([quadruple, scale, 0, 0], [seed, 1])

/** The uniform number behind one element of `gumbelNoise`, in (0, 1). */
export const noiseUniform = (seed: number, scale: number, element: number): number =>
  openUniform(noiseWords(seed, scale, Math.floor(element / 4))[element % 4] ?? 0)

/** Gumbel noise -ln(-ln u) of all tokens of one scale, written into `noise` [tokens, vocabulary]. */
export const gumbelNoise = (seed: number, scale: number, noise: Float32Array): void => {
  for (let begin = 0; begin < noise.length; begin += 4) {
    noiseWords(seed, scale, begin / 4).forEach((word, i) => (noise[begin + i] = -Math.log(-Math.log(openUniform(word)))))
  }
}
