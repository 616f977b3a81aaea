import type { TokenizerDims } from './tokenizer-tensors.ts'
import type { TransformerDims } from './transformer-tensors.ts'

const SCALES_256 = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16] as const
const SCALES_512 = [1, 2, 3, 4, 6, 9, 13, 18, 24, 32] as const
/** The scales models were published with. */
export const PUBLISHED_SCALES: readonly (readonly number[])[] = [SCALES_256, SCALES_512]

export const TOKENIZER_FILE = 'vae_ch160v4096z32.pth'
/** One tokenizer serves all published transformers. */
export const PUBLISHED_TOKENIZER: TokenizerDims = {
  vocabulary: 4096,
  channels: 32,
  baseChannels: 160,
  multipliers: [1, 1, 2, 2, 4],
  phis: 4,
  scales: SCALES_256.length
}

export const PUBLISHED_SIZES = ['d16', 'd20', 'd24', 'd30', 'd36'] as const
export type PublishedSize = (typeof PUBLISHED_SIZES)[number]

const transformer = (depth: number, scales: readonly number[], sharedAdaln: boolean): TransformerDims => ({
  depth,
  width: 64 * depth,
  heads: depth,
  vocabulary: PUBLISHED_TOKENIZER.vocabulary,
  channels: PUBLISHED_TOKENIZER.channels,
  classes: 1000,
  scales,
  sharedAdaln
})

/** Transformers of FoundationVision/VAR: ImageNet-1k at 256 px, and d36 at 512 px. */
export const PUBLISHED_TRANSFORMERS: Readonly<Record<PublishedSize, TransformerDims>> = {
  d16: transformer(16, SCALES_256, false),
  d20: transformer(20, SCALES_256, false),
  d24: transformer(24, SCALES_256, false),
  d30: transformer(30, SCALES_256, false),
  d36: transformer(36, SCALES_512, true)
}

export const transformerFile = (size: PublishedSize): string => `var_${size}.pth`

/** Sampling settings of the published figures. */
export const PUBLISHED_DEFAULTS = { cfg: 1.5, top_k: 900, top_p: 0.96 } as const
