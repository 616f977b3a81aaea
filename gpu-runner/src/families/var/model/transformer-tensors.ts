import type { TensorSpec } from '../../../checkpoint/tensor-info.ts'

/** Sizes that determine every tensor of a VAR transformer. */
export interface TransformerDims {
  depth: number
  width: number
  heads: number
  vocabulary: number
  /** Channels of a code. */
  channels: number
  /** Classes without the unconditional one. */
  classes: number
  /** Side of each token map, coarse to fine. */
  scales: readonly number[]
  /** One AdaLN for all blocks, as in the published 512 px model. */
  sharedAdaln: boolean
}

const HIDDEN_RATIO = 4

const float = (name: string, ...shape: number[]): TensorSpec => ({ name, dtype: 'F32', shape })

const linear = (name: string, [input, output]: readonly [number, number]): TensorSpec[] => [
  float(`${name}.weight`, output, input),
  float(`${name}.bias`, output)
]

const block = (name: string, { width, heads, sharedAdaln }: TransformerDims): TensorSpec[] => [
  ...(sharedAdaln ? [float(`${name}.ada_gss`, 1, 1, 6, width)] : []),
  float(`${name}.attn.scale_mul_1H11`, 1, heads, 1, 1),
  float(`${name}.attn.q_bias`, width),
  float(`${name}.attn.v_bias`, width),
  float(`${name}.attn.zero_k_bias`, width),
  float(`${name}.attn.mat_qkv.weight`, 3 * width, width),
  ...linear(`${name}.attn.proj`, [width, width]),
  ...linear(`${name}.ffn.fc1`, [width, HIDDEN_RATIO * width]),
  ...linear(`${name}.ffn.fc2`, [HIDDEN_RATIO * width, width]),
  ...(sharedAdaln ? [] : linear(`${name}.ada_lin.1`, [width, 6 * width]))
]

/** Every tensor of a transformer's checkpoint, in the published order. */
export const transformerTensors = (dims: TransformerDims): TensorSpec[] => {
  const { depth, width, vocabulary, channels, classes, scales, sharedAdaln } = dims
  const [first = 1] = scales
  const tokens = scales.reduce((sum, side) => sum + side * side, 0)
  return [
    float('pos_start', 1, first * first, width),
    float('pos_1LC', 1, tokens, width),
    { name: 'lvl_1L', dtype: 'I64', shape: [1, tokens] },
    float('attn_bias_for_masking', 1, 1, tokens, tokens),
    ...linear('word_embed', [channels, width]),
    float('class_emb.weight', classes + 1, width),
    float('lvl_embed.weight', scales.length, width),
    ...(sharedAdaln ? linear('shared_ada_lin.1', [width, 6 * width]) : []),
    ...Array.from({ length: depth }, (_, index) => block(`blocks.${index}`, dims)).flat(),
    ...linear('head_nm.ada_lin.1', [width, 2 * width]),
    ...linear('head', [width, vocabulary])
  ]
}
