import { elementCount, type TensorSpec } from '../../../checkpoint/tensor-info.ts'
import { type WritePthOptions, type WrittenTensor, writePth } from '../../../checkpoint/write-pth.ts'
import { causalMask, constant, fanIn, levels, type RandomSource, randomSource } from './random-values.ts'
import { type TokenizerDims, tokenizerTensors } from './tokenizer-tensors.ts'
import { type TransformerDims, transformerTensors } from './transformer-tensors.ts'

type Values = WrittenTensor['values']
/** The first pattern a tensor's name matches says how its values are drawn. */
type Rules = readonly [name: RegExp, values: (tensor: TensorSpec) => Values][]

const SMALL_BIAS = 0.02
const CODE_DEVIATION = 0.5
/** Deviation of logits: enough that a few of the vocabulary's tokens are likely and none is certain. */
const LOGIT_DEVIATION = 3

const draw = (source: RandomSource, deviation: number | ((tensor: TensorSpec) => number)) => (tensor: TensorSpec) =>
  source.normal(elementCount(tensor.shape), typeof deviation === 'number' ? deviation : deviation(tensor))

const fill = (value: number) => (tensor: TensorSpec) => constant(elementCount(tensor.shape), value)

/** Convolutions keep the size of what they see; norms do nothing. */
const tokenizerRules = (source: RandomSource): Rules => [
  [/ema_vocab_hit_SV$/, fill(1)],
  [/norm(\d|_out)?\.weight$/, fill(1)],
  [/norm(\d|_out)?\.bias$/, fill(0)],
  [/embedding\.weight$/, draw(source, CODE_DEVIATION)],
  [/\.weight$/, draw(source, (tensor) => 1 / Math.sqrt(fanIn(tensor)))],
  [/\.bias$/, draw(source, SMALL_BIAS)]
]

/**
 * As before training, but for what training starts at nothing: the class embedding is as large as a trained one, so
 * that AdaLN differs between classes, and the head spreads its logits.
 */
const transformerRules = (source: RandomSource, dims: TransformerDims): Rules => {
  const { width, depth, scales } = dims
  const deviation = Math.sqrt(1 / (3 * width))
  return [
    [/^lvl_1L$/, () => levels(scales)],
    [/^attn_bias_for_masking$/, (tensor) => causalMask(dims, tensor)],
    [/zero_k_bias$/, fill(0)],
    [/scale_mul_1H11$/, fill(Math.log(4))],
    [/^class_emb\.weight$/, draw(source, 1)],
    [/^head\.weight$/, draw(source, LOGIT_DEVIATION / Math.sqrt(width))],
    [/(proj|fc2)\.weight$/, draw(source, deviation / Math.sqrt(2 * depth))],
    [/ada_gss$/, draw(source, 1 / Math.sqrt(width))],
    [/./, draw(source, deviation)]
  ]
}

const withValues = (tensors: readonly TensorSpec[], rules: Rules): WrittenTensor[] =>
  tensors.map((tensor) => {
    const [, values] = rules.find(([name]) => name.test(tensor.name)) ?? []
    if (!values) throw new RangeError(`there is no rule for ${tensor.name}`)
    return { ...tensor, values: values(tensor) }
  })

interface RandomOptions extends WritePthOptions {
  /** uint32 */
  seed: number
}

/** Writes a tokenizer of random weights. The file must not exist yet. */
export const writeRandomTokenizer = (path: string, dims: TokenizerDims, { seed, ...options }: RandomOptions): Promise<void> =>
  writePth(path, withValues(tokenizerTensors(dims), tokenizerRules(randomSource(seed))), options)

/** Writes a transformer of random weights. The file must not exist yet. */
export const writeRandomTransformer = (path: string, dims: TransformerDims, { seed, ...options }: RandomOptions): Promise<void> =>
  writePth(path, withValues(transformerTensors(dims), transformerRules(randomSource(seed), dims)), options)
