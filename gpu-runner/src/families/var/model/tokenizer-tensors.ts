import type { TensorSpec } from '../../../checkpoint/tensor-info.ts'

/** Sizes that determine every tensor of a VAR tokenizer. */
export interface TokenizerDims {
  vocabulary: number
  /** Channels of a code. */
  channels: number
  /** Feature channels at full resolution: a multiple of 32, the groups of its norms. */
  baseChannels: number
  /** Feature channels of each resolution level as multiples of `baseChannels`, fine to coarse. */
  multipliers: readonly number[]
  /** Convolutions phi that the scales share. */
  phis: number
  /** Scales of its training, for which it keeps statistics. */
  scales: number
}

const ENCODER_BLOCKS = 2
const DECODER_BLOCKS = 3
const PIXEL_CHANNELS = 3

type Tensors = TensorSpec[]

const pair = (name: string, weight: readonly number[]): Tensors => [
  { name: `${name}.weight`, dtype: 'F32', shape: weight },
  { name: `${name}.bias`, dtype: 'F32', shape: weight.slice(0, 1) }
]

const conv = (name: string, [input, output]: readonly [number, number], kernel = 3): Tensors =>
  pair(name, [output, input, kernel, kernel])

const norm = (name: string, channels: number): Tensors => pair(name, [channels])

const residualBlock = (name: string, input: number, output: number): Tensors => [
  ...norm(`${name}.norm1`, input),
  ...conv(`${name}.conv1`, [input, output]),
  ...norm(`${name}.norm2`, output),
  ...conv(`${name}.conv2`, [output, output]),
  ...(input === output ? [] : conv(`${name}.nin_shortcut`, [input, output], 1))
]

const attentionBlock = (name: string, channels: number): Tensors => [
  ...norm(`${name}.norm`, channels),
  ...conv(`${name}.qkv`, [channels, 3 * channels], 1),
  ...conv(`${name}.proj_out`, [channels, channels], 1)
]

const middle = (name: string, channels: number): Tensors => [
  ...residualBlock(`${name}.block_1`, channels, channels),
  ...attentionBlock(`${name}.attn_1`, channels),
  ...residualBlock(`${name}.block_2`, channels, channels)
]

/** Residual blocks of one level; the coarsest has attention after each. */
const level = (name: string, blocks: number, input: number, output: number, isCoarsest: boolean): Tensors => {
  const indices = Array.from({ length: blocks }, (_, index) => index)
  return [
    ...indices.flatMap((index) => residualBlock(`${name}.block.${index}`, index === 0 ? input : output, output)),
    ...(isCoarsest ? indices.flatMap((index) => attentionBlock(`${name}.attn.${index}`, output)) : [])
  ]
}

const encoder = ({ baseChannels, channels, multipliers }: TokenizerDims): Tensors => {
  const widths = multipliers.map((multiplier) => multiplier * baseChannels)
  const last = widths.length - 1
  const coarsest = widths[last] ?? baseChannels
  const levels = widths.flatMap((width, index) => [
    ...level(`encoder.down.${index}`, ENCODER_BLOCKS, widths[index - 1] ?? baseChannels, width, index === last),
    ...(index === last ? [] : conv(`encoder.down.${index}.downsample.conv`, [width, width]))
  ])
  return [
    ...conv('encoder.conv_in', [PIXEL_CHANNELS, baseChannels]),
    ...levels,
    ...middle('encoder.mid', coarsest),
    ...norm('encoder.norm_out', coarsest),
    ...conv('encoder.conv_out', [coarsest, channels])
  ]
}

const decoder = ({ baseChannels, channels, multipliers }: TokenizerDims): Tensors => {
  const widths = multipliers.map((multiplier) => multiplier * baseChannels)
  const [finest = baseChannels, coarsest = baseChannels] = [widths[0], widths.at(-1)]
  const levels = widths.flatMap((width, index) => [
    ...level(`decoder.up.${index}`, DECODER_BLOCKS, widths[index + 1] ?? coarsest, width, index === widths.length - 1),
    ...(index === 0 ? [] : conv(`decoder.up.${index}.upsample.conv`, [width, width]))
  ])
  return [
    ...conv('decoder.conv_in', [channels, coarsest]),
    ...middle('decoder.mid', coarsest),
    ...levels,
    ...norm('decoder.norm_out', finest),
    ...conv('decoder.conv_out', [finest, PIXEL_CHANNELS])
  ]
}

const quantizer = ({ vocabulary, channels, phis, scales }: TokenizerDims): Tensors => [
  { name: 'quantize.ema_vocab_hit_SV', dtype: 'F32', shape: [scales, vocabulary] },
  ...Array.from({ length: phis }, (_, phi) => conv(`quantize.quant_resi.qresi_ls.${phi}`, [channels, channels])).flat(),
  { name: 'quantize.embedding.weight', dtype: 'F32', shape: [vocabulary, channels] }
]

/** Every tensor of a tokenizer's checkpoint, encoder included, in the published order. */
export const tokenizerTensors = (dims: TokenizerDims): TensorSpec[] => [
  ...encoder(dims),
  ...decoder(dims),
  ...quantizer(dims),
  ...conv('quant_conv', [dims.channels, dims.channels]),
  ...conv('post_quant_conv', [dims.channels, dims.channels])
]
