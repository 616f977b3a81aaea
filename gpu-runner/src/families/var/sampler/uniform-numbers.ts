import { philox } from '../../../sampler/philox.ts'

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
