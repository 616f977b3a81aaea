/** Sizes of a model to be drawn. Every `ch` times a multiple must be divisible by the 32 groups of group norm. */
export interface Dimensions {
  depth: number
  width: number
  heads: number
  classes: number
  scales: readonly number[]
  vocabulary: number
  /** Channels of a code. */
  channels: number
  /** Convolutions phi. */
  phis: number
  /** Share of the convolution in phi. */
  phiShare: number
  /** Channels of the finest level of encoder and decoder. */
  ch: number
  /** Multiples of `ch` per level, finest first; each level but the first halves the side. */
  chMult: readonly number[]
  sharedAdaln: boolean
  /** Residual blocks of an encoder level; a decoder level has one more. */
  resBlocks: number
}

/** Values lie evenly in mean - sqrt(3) spread .. mean + sqrt(3) spread, so that `spread` is their standard deviation. */
export interface RandomTensor {
  shape: number[]
  mean: number | readonly number[]
  spread: number
}

type RandomTensors = Record<string, RandomTensor>

const around = (shape: number[], spread: number, mean: number | readonly number[] = 0): RandomTensor => ({ shape, spread, mean })

/** Keeps the size of what goes through it near `gain` times the input's, and adds a bias that matters. */
const linear = (name: string, input: number, output: number, gain = 1): RandomTensors => ({
  [`${name}.weight`]: around([output, input], gain / Math.sqrt(input)),
  [`${name}.bias`]: around([output], 0.3 * gain)
})

/** What AdaLN adds to 0: without it blocks would be silent (gamma) or all scaled alike. */
const modulation = (name: string, width: number, parts: number, spread: number): RandomTensors => ({
  [`${name}.weight`]: around([parts * width, width], (1.75 * spread) / Math.sqrt(width)),
  [`${name}.bias`]: around([parts * width], spread)
})

const block = (index: number, { width, heads, sharedAdaln }: Dimensions): RandomTensors => {
  const name = `blocks.${index}`
  // From the published start value ln 4 upwards; the last head lies beyond the cap ln 100.
  const logScales = Array.from({ length: heads }, (_, head) => (head === heads - 1 ? 5 : Math.log(4 + 8 * head)))
  return {
    [`${name}.attn.scale_mul_1H11`]: around([1, heads, 1, 1], 0.1, logScales),
    [`${name}.attn.q_bias`]: around([width], 0.5),
    [`${name}.attn.v_bias`]: around([width], 0.5),
    [`${name}.attn.zero_k_bias`]: around([width], 0),
    [`${name}.attn.mat_qkv.weight`]: around([3 * width, width], 1 / Math.sqrt(width)),
    ...linear(`${name}.attn.proj`, width, width, 1.5),
    ...linear(`${name}.ffn.fc1`, width, 4 * width),
    ...linear(`${name}.ffn.fc2`, 4 * width, width, 1.5),
    ...(sharedAdaln ? { [`${name}.ada_gss`]: around([1, 1, 6, width], 0.5) } : modulation(`${name}.ada_lin.1`, width, 6, 0.4))
  }
}

export const transformerTensors = (dimensions: Dimensions): RandomTensors => {
  const { depth, width, classes, scales, vocabulary, channels, sharedAdaln } = dimensions
  const tokens = scales.reduce((sum, n) => sum + n * n, 0)
  return {
    pos_start: around([1, 1, width], 0.7),
    pos_1LC: around([1, tokens, width], 0.7),
    ...linear('word_embed', channels, width),
    'class_emb.weight': around([classes + 1, width], 1),
    'lvl_embed.weight': around([scales.length, width], 0.7),
    ...(sharedAdaln ? modulation('shared_ada_lin.1', width, 6, 0.4) : {}),
    ...Object.assign({}, ...Array.from({ length: depth }, (_, index) => block(index, dimensions))),
    // Small beside what the tokens say, or all tokens of a guided image would be one and the same.
    ...modulation('head_nm.ada_lin.1', width, 2, 0.15),
    // Several units between logits: greedy tokens are then far from a tie.
    ...linear('head', width, vocabulary, 2.5)
  }
}

const conv = (name: string, input: number, output: number, kernel = 3, gain = 1): RandomTensors => ({
  [`${name}.weight`]: around([output, input, kernel, kernel], gain / Math.sqrt(input * kernel ** 2)),
  [`${name}.bias`]: around([output], 0.2 * gain)
})

const groupNorm = (name: string, channels: number): RandomTensors => ({
  [`${name}.weight`]: around([channels], 0.3, 1),
  [`${name}.bias`]: around([channels], 0.3)
})

const residual = (name: string, input: number, output: number): RandomTensors => ({
  ...groupNorm(`${name}.norm1`, input),
  ...conv(`${name}.conv1`, input, output),
  ...groupNorm(`${name}.norm2`, output),
  ...conv(`${name}.conv2`, output, output),
  ...(input === output ? {} : conv(`${name}.nin_shortcut`, input, output, 1))
})

const attention = (name: string, channels: number): RandomTensors => ({
  ...groupNorm(`${name}.norm`, channels),
  ...conv(`${name}.qkv`, channels, 3 * channels, 1, 1.5),
  ...conv(`${name}.proj_out`, channels, channels, 1)
})

/** Residual blocks of a level; the lowest level, of the smallest side, has attention after each. */
const level = (name: string, [input, output]: [number, number], blocks: number, isLowest: boolean): RandomTensors =>
  Object.assign(
    {},
    ...Array.from({ length: blocks }, (_, index) => ({
      ...residual(`${name}.block.${index}`, index === 0 ? input : output, output),
      ...(isLowest ? attention(`${name}.attn.${index}`, output) : {})
    }))
  )

const middle = (name: string, channels: number): RandomTensors => ({
  ...residual(`${name}.block_1`, channels, channels),
  ...attention(`${name}.attn_1`, channels),
  ...residual(`${name}.block_2`, channels, channels)
})

const encoder = ({ ch, chMult, channels, resBlocks }: Dimensions): RandomTensors => {
  const lowest = chMult.length - 1
  const sizes = chMult.map((multiple) => ch * multiple)
  const last = sizes.at(-1) ?? ch
  const levels = sizes.map((size, index) => ({
    ...level(`encoder.down.${index}`, [sizes[index - 1] ?? ch, size], resBlocks, index === lowest),
    ...(index < lowest ? conv(`encoder.down.${index}.downsample.conv`, size, size) : {})
  }))
  return {
    ...conv('encoder.conv_in', 3, ch),
    ...Object.assign({}, ...levels),
    ...middle('encoder.mid', last),
    ...groupNorm('encoder.norm_out', last),
    ...conv('encoder.conv_out', last, channels)
  }
}

const decoder = ({ ch, chMult, channels, resBlocks }: Dimensions): RandomTensors => {
  const lowest = chMult.length - 1
  const sizes = chMult.map((multiple) => ch * multiple)
  const first = sizes.at(-1) ?? ch
  const levels = sizes.map((size, index) => ({
    ...level(`decoder.up.${index}`, [sizes[index + 1] ?? first, size], resBlocks + 1, index === lowest),
    ...(index > 0 ? conv(`decoder.up.${index}.upsample.conv`, size, size) : {})
  }))
  return {
    ...conv('decoder.conv_in', channels, first),
    ...middle('decoder.mid', first),
    ...Object.assign({}, ...levels),
    ...groupNorm('decoder.norm_out', sizes[0] ?? ch),
    // Most of the picture stays inside [-1, 1], some of it is clamped.
    ...conv('decoder.conv_out', sizes[0] ?? ch, 3, 3, 0.7)
  }
}

export const tokenizerTensors = (dimensions: Dimensions): RandomTensors => {
  const { channels, vocabulary, phis } = dimensions
  const eachPhi = Array.from({ length: phis }, (_, index) => conv(`quantize.quant_resi.qresi_ls.${index}`, channels, channels))
  return {
    ...encoder(dimensions),
    ...decoder(dimensions),
    ...conv('quant_conv', channels, channels),
    ...conv('post_quant_conv', channels, channels),
    'quantize.embedding.weight': around([vocabulary, channels], 1),
    ...Object.assign({}, ...eachPhi)
  }
}
