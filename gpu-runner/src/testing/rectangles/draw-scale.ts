import { createHash } from 'node:crypto'
import { philox } from '../../sampler/philox.ts'
import type { ImageRequest } from './image-request.ts'
import { SCALES, tokensOf } from './shape.ts'

const GREY = 0x808080
/** Strength at which a colour is all that its word says. */
const FULL_CFG = 4
/** Of four tokens of a finer scale one has a colour of its own; the others have that of the token they lie in. */
const ANEW = 0.25

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/** A colour per word, 0xRRGGBB. */
const colourOf = (word: string): number => createHash('sha256').update(word).digest().readUIntBE(0, 3)

const mixed = (colour: number, share: number): number => {
  const channel = (shift: number) => {
    const [grey, full] = [(GREY >> shift) & 0xff, (colour >> shift) & 0xff]
    return Math.round(grey + (full - grey) * share) << shift
  }
  return channel(16) | channel(8) | channel(0)
}

/** Colours of the words of the prompt that the negative one has not; of no words, grey. */
const paletteOf = ({ prompt, negativePrompt, cfg }: ImageRequest): number[] => {
  const avoided = new Set(wordsOf(negativePrompt))
  const words = wordsOf(prompt).filter((word) => !avoided.has(word))
  const share = Math.min(1, cfg / FULL_CFG)
  return words.length === 0 ? [GREY] : words.map((word) => mixed(colourOf(word), share))
}

const UINT32 = 2 ** 32

/**
 * The tokens of a scale, 0xRRGGBB each, row by row; `coarser` are those of the scale before. They depend on the request alone.
 */
export const drawScale = (request: ImageRequest, scale: number, coarser: Int32Array | undefined): Int32Array => {
  const map = SCALES[request.size][scale] ?? { height: 0, width: 0 }
  const palette = paletteOf(request)
  const seed = request.keep && scale < request.keep.scales ? request.keep.seed : request.seed
  return Int32Array.from({ length: tokensOf(map) }, (_, position) => {
    const [chance, choice] = philox([position, scale, 0, 0], [seed, 0])
    const [row, column] = [Math.floor(position / map.width), position % map.width]
    const inherited = coarser?.[(row >> 1) * (map.width / 2) + (column >> 1)]
    if (inherited !== undefined && chance / UINT32 >= ANEW) return inherited
    return palette[choice % palette.length] ?? GREY
  })
}
