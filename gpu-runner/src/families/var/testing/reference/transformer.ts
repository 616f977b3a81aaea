import { affine, dot, gelu, linear, normalise, silu, softmax } from './layers.ts'
import { addValues, type FeatureMap, type Matrix, matrix, pixelRows, row, rowsFrom, rowsOf, stack } from './tensors.ts'
import { reduceByArea } from './interpolate.ts'
import type { Reference } from './weights.ts'

/** The six vectors of AdaLN, [width] each, in the checkpoint's order. */
type Modulation = Record<'gamma1' | 'gamma2' | 'scale1' | 'scale2' | 'shift1' | 'shift2', Float64Array>

/** Token sequence so far: which scale a token belongs to, and the class each scale is conditioned on. */
interface Sequence {
  scaleOfToken: readonly number[]
  /** Class index per scale so far; the number of classes stands for the unconditional one. */
  classes: readonly number[]
}

const classEmbedding = ({ shape, transformer }: Reference, classIndex: number): Matrix => {
  const { width } = shape.transformer
  return matrix(1, width, transformer.row('class_emb.weight', classIndex, width))
}

const activatedClass = (reference: Reference, classIndex: number): Matrix => {
  const { rows, columns, data } = classEmbedding(reference, classIndex)
  return matrix(rows, columns, data.map(silu))
}

const blockModulation = (reference: Reference, block: number, classIndex: number): Modulation => {
  const { width, sharedAdaln } = reference.shape.transformer
  const weights = reference.transformer
  const name = sharedAdaln ? 'shared_ada_lin.1' : `blocks.${block}.ada_lin.1`
  const fromClass = linear(weights, name, activatedClass(reference, classIndex)).data
  const six = sharedAdaln ? addValues(fromClass, weights.take(`blocks.${block}.ada_gss`)) : fromClass
  const part = (index: number) => six.subarray(index * width, (index + 1) * width)
  return { gamma1: part(0), gamma2: part(1), scale1: part(2), scale2: part(3), shift1: part(4), shift2: part(5) }
}

/** Layer norm without affine, times (1 + scale), plus shift. */
const modulate = (x: Float64Array, scale: Float64Array, shift: Float64Array): Float64Array =>
  normalise(x).map((value, i) => value * (1 + (scale[i] ?? 0)) + (shift[i] ?? 0))

const mapRows = (x: Matrix, change: (values: Float64Array, index: number) => Float64Array): Matrix =>
  stack(rowsOf(x).map((values, index) => matrix(1, x.columns, change(values, index))))

const unitLength = (x: Float64Array): Float64Array => {
  const length = Math.max(Math.sqrt(dot(x, x)), 1e-12)
  return x.map((value) => value / length)
}

/** Attention of one head. queries, keys, values [tokens, headWidth]; token i sees the first `visible[i]` tokens. */
const attendHead = (queries: Matrix, keys: Matrix, values: Matrix, visible: readonly number[]): Matrix => {
  const [keyRows, valueRows] = [rowsOf(keys), rowsOf(values)]
  return mapRows(queries, (query, token) => {
    const seen = visible[token] ?? 0
    const shares = softmax(Float64Array.from(keyRows.slice(0, seen), (key) => dot(query, key)))
    const mixed = new Float64Array(values.columns)
    valueRows.slice(0, seen).forEach((value, other) => {
      const share = shares[other] ?? 0
      for (let i = 0; i < mixed.length; i++) mixed[i] = (mixed[i] ?? 0) + share * (value[i] ?? 0)
    })
    return mixed
  })
}

/** x [tokens, width] to the same shape. A token sees all tokens of its own scale and of the coarser ones. */
const attend = ({ shape, transformer }: Reference, name: string, x: Matrix, { scaleOfToken }: Sequence): Matrix => {
  const { width, heads, headWidth } = shape.transformer
  const bias = new Float64Array(3 * width)
  bias.set(transformer.take(`${name}.q_bias`), 0)
  bias.set(transformer.take(`${name}.v_bias`), 2 * width)
  const qkv = affine(x, transformer.take(`${name}.mat_qkv.weight`), bias)
  const logScale = transformer.take(`${name}.scale_mul_1H11`)
  const visible = scaleOfToken.map((scale) => scaleOfToken.filter((other) => other <= scale).length)
  const mixed = matrix(x.rows, width)
  for (let head = 0; head < heads; head++) {
    const part = (index: number, change: (values: Float64Array) => Float64Array) => {
      const begin = index * width + head * headWidth
      const slices = Array.from({ length: x.rows }, (_, token) => row(qkv, token).slice(begin, begin + headWidth))
      return stack(slices.map((slice) => matrix(1, headWidth, change(slice))))
    }
    const scale = Math.min(Math.exp(logScale[head] ?? 0), 100)
    const queries = part(0, (query) => unitLength(query).map((value) => value * scale))
    const attended = attendHead(
      queries,
      part(1, unitLength),
      part(2, (value) => value),
      visible
    )
    for (let token = 0; token < x.rows; token++) row(mixed, token).set(row(attended, token), head * headWidth)
  }
  return linear(transformer, `${name}.proj`, mixed)
}

const feedForward = ({ transformer }: Reference, name: string, x: Matrix): Matrix => {
  const hidden = linear(transformer, `${name}.fc1`, x)
  return linear(transformer, `${name}.fc2`, matrix(hidden.rows, hidden.columns, hidden.data.map(gelu)))
}

/** x + gamma * branch(modulated x), each token with the modulation of its own scale. */
const transformerBlock = (reference: Reference, block: number, input: Matrix, sequence: Sequence): Matrix => {
  const modulations = sequence.classes.map((classIndex) => blockModulation(reference, block, classIndex))
  const of = (token: number): Modulation => {
    const modulation = modulations[sequence.scaleOfToken[token] ?? -1]
    if (!modulation) throw new RangeError(`token ${token} has no class`)
    return modulation
  }
  const branch = (x: Matrix, part: 1 | 2, compute: (modulated: Matrix) => Matrix): Matrix => {
    const modulated = mapRows(x, (values, token) => modulate(values, of(token)[`scale${part}`], of(token)[`shift${part}`]))
    const output = compute(modulated)
    const gated = mapRows(output, (values, token) => values.map((value, i) => value * (of(token)[`gamma${part}`][i] ?? 0)))
    return matrix(x.rows, x.columns, addValues(x.data, gated.data))
  }
  const attended = branch(input, 1, (modulated) => attend(reference, `blocks.${block}.attn`, modulated, sequence))
  return branch(attended, 2, (modulated) => feedForward(reference, `blocks.${block}.ffn`, modulated))
}

/** x [tokens, width] to logits [tokens, vocabulary]. */
const head = (reference: Reference, x: Matrix, classIndex: number): Matrix => {
  const { width } = reference.shape.transformer
  const modulation = linear(reference.transformer, 'head_nm.ada_lin.1', activatedClass(reference, classIndex)).data
  const [scale, shift] = [modulation.subarray(0, width), modulation.subarray(width)]
  const modulated = mapRows(x, (values) => modulate(values, scale, shift))
  return linear(reference.transformer, 'head', modulated)
}

/** Input of all tokens so far: the class's start token, then each scale's view of the running sum before it. */
const inputTokens = (reference: Reference, classIndex: number, fHats: readonly FeatureMap[], scaleOfToken: readonly number[]) => {
  const { shape, transformer } = reference
  const { width } = shape.transformer
  const start = addValues(classEmbedding(reference, classIndex).data, transformer.take('pos_start'))
  const later = fHats.map((fHat, index) =>
    linear(transformer, 'word_embed', pixelRows(reduceByArea(fHat, shape.scales[index + 1] ?? 0)))
  )
  return mapRows(stack([matrix(1, width, start), ...later]), (values, token) => {
    const level = transformer.row('lvl_embed.weight', scaleOfToken[token] ?? -1, width)
    return addValues(addValues(values, level), transformer.row('pos_1LC', token, width))
  })
}

/**
 * Logits [n_k^2, vocabulary] of the newest scale k, with every token so far computed anew.
 *
 * `classes` has one class index per scale 0..k, `fHats` the running sum after each of the scales 0..k-1.
 */
export const scaleLogits = (reference: Reference, classes: readonly number[], fHats: readonly FeatureMap[]): Matrix => {
  const { scales, transformer } = reference.shape
  const scaleOfToken = scales.slice(0, classes.length).flatMap((n, k) => new Array<number>(n * n).fill(k))
  let x = inputTokens(reference, classes[0] ?? -1, fHats, scaleOfToken)
  for (let block = 0; block < transformer.depth; block++) {
    x = transformerBlock(reference, block, x, { scaleOfToken, classes })
  }
  const newest = scaleOfToken.indexOf(classes.length - 1)
  return head(reference, rowsFrom(x, newest), classes.at(-1) ?? -1)
}
