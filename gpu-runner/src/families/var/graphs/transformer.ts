import { rowsOf } from '../../../checkpoint/tensor-info.ts'
import type { OpenModel } from '../model/open-model.ts'
import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'
import { layerNorm } from './layers.ts'
import type { Multiply } from './products.ts'

/** exp(scale_mul) is capped at 100, as in the reference. */
const MAX_LOG_SCALE = Math.log(100)
/** Far below any norm that occurs; it only keeps zero vectors from being divided by zero. */
const L2_EPSILON = 1e-24

export interface KeyValue {
  /** [R, heads, length, headWidth] */
  k: Value
  v: Value
}

export interface TransformerScope {
  g: GraphBuilder
  model: OpenModel
  multiply: Multiply
}

/** Layer norm of x [R, n, width], times scale and plus shift [R, 1, width]. */
const modulated = ({ g, model }: TransformerScope, x: Value, scale: Value, shift: Value): Value =>
  g.op('Add', [g.op('Mul', [layerNorm(g, x, model.shape.transformer.width), scale]), shift])

/** x / |x| over the last axis, as a root-mean-square norm, which CPU and CUDA both have. */
const l2Normalised = (g: GraphBuilder, x: Value, width: number): Value =>
  g.op('SimplifiedLayerNormalization', [x, g.floats(new Float32Array(width).fill(width ** -0.5))], {
    axis: -1,
    epsilon: { float: L2_EPSILON },
    stash_type: 1
  })

/** Queries, keys and values of x [R n, width], each [R, heads, n, headWidth]. The key has no bias. */
const queriesKeysValues = ({ g, model, multiply }: TransformerScope, name: string, x: Value, rowCount: Value) => {
  const { width, heads, headWidth } = model.shape.transformer
  const weights = model.transformer
  const qkv = weights.take(`${name}.mat_qkv.weight`, [3 * width, width])
  const bias = (suffix: string) => g.weight(weights.take(`${name}.${suffix}`, [width]))
  const product = multiply(g, x)
  const split = g.op('Concat', [rowCount, g.ints([-1, heads, headWidth])], { axis: 0 })
  const perHead = (part: number, offset?: Value) => {
    const rows = rowsOf(qkv, part * width, (part + 1) * width)
    return g.op('Transpose', [g.op('Reshape', [product(rows, offset), split])], { perm: [0, 2, 1, 3] })
  }
  return { q: perHead(0, bias('q_bias')), k: perHead(1), v: perHead(2, bias('v_bias')) }
}

/** Attention of the new tokens over all scales so far. x [R, n, width]; returns the same shape and the grown cache. */
const attention = (
  scope: TransformerScope,
  name: string,
  x: Value,
  past: KeyValue | undefined,
  rowCount: Value
): [Value, KeyValue] => {
  const { g, model, multiply } = scope
  const { width, heads, headWidth } = model.shape.transformer
  const { q, k, v } = queriesKeysValues(scope, name, g.reshape(x, [-1, width]), rowCount)
  const logScale = g.weight(model.transformer.take(`${name}.scale_mul_1H11`, [1, heads, 1, 1]))
  const scale = g.op('Exp', [g.op('Min', [logScale, g.scalar(MAX_LOG_SCALE)])])
  const queries = g.op('Mul', [l2Normalised(g, q, headWidth), scale])
  const newKeys = l2Normalised(g, k, headWidth)
  const keys = past ? g.op('Concat', [past.k, newKeys], { axis: 2 }) : newKeys
  const values = past ? g.op('Concat', [past.v, v], { axis: 2 }) : v
  const scores = g.op('MatMul', [queries, g.op('Transpose', [keys], { perm: [0, 1, 3, 2] })])
  const mixed = g.op('MatMul', [g.op('Softmax', [scores], { axis: -1 }), values])
  const tokens = g.reshape(g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), [-1, width])
  const { transformer: weights } = model
  const projected = multiply(g, tokens)(
    weights.take(`${name}.proj.weight`, [width, width]),
    g.weight(weights.take(`${name}.proj.bias`, [width]))
  )
  return [g.op('Reshape', [projected, g.op('Shape', [x])]), { k: keys, v: values }]
}

const feedForward = ({ g, model, multiply }: TransformerScope, name: string, x: Value): Value => {
  const { width } = model.shape.transformer
  const weights = model.transformer
  const inner = weights.size(`${name}.fc1.weight`, [null, width], 0)
  const layer = (part: string, input: Value, [from, to]: [number, number]) =>
    multiply(g, input)(weights.take(`${name}.${part}.weight`, [to, from]), g.weight(weights.take(`${name}.${part}.bias`, [to])))
  const hidden = layer('fc1', g.reshape(x, [-1, width]), [width, inner])
  const output = layer('fc2', g.op('Gelu', [hidden], { approximate: 'tanh' }), [inner, width])
  return g.op('Reshape', [output, g.op('Shape', [x])])
}

/** Block `index` on x [R, n, width]; modulation [R, depth, 6, width] with 1 already added to the scales. */
export const transformerBlock = (
  scope: TransformerScope,
  index: number,
  inputs: { x: Value; modulation: Value; past: KeyValue | undefined; rowCount: Value }
): [Value, KeyValue] => {
  const { g } = scope
  const own = g.op('Gather', [inputs.modulation, g.ints([index], [])], { axis: 1 })
  const parts = g.split('Split', [own], 6, { axis: 1, num_outputs: 6 })
  const [gamma1, gamma2, scale1, scale2, shift1, shift2] = parts as [Value, Value, Value, Value, Value, Value]
  const attended = modulated(scope, inputs.x, scale1, shift1)
  const [mixed, cache] = attention(scope, `blocks.${index}.attn`, attended, inputs.past, inputs.rowCount)
  const x = g.op('Add', [inputs.x, g.op('Mul', [mixed, gamma1])])
  const fed = feedForward(scope, `blocks.${index}.ffn`, modulated(scope, x, scale2, shift2))
  return [g.op('Add', [x, g.op('Mul', [fed, gamma2])]), cache]
}

/** What the head multiplies: x [R, n, width] after its own AdaLN; headModulation [R, 2, width] with 1 added to the scale. */
export const headInput = (scope: TransformerScope, x: Value, headModulation: Value): Value => {
  const [scale, shift] = scope.g.split('Split', [headModulation], 2, { axis: 1, num_outputs: 2 }) as [Value, Value]
  return modulated(scope, x, scale, shift)
}

/** Logits [B, n, vocabulary] of x [B, n, width], in fp32 whatever the graph computes in. */
export const head = ({ g, model, multiply }: TransformerScope, x: Value): Value => {
  const { width } = model.shape.transformer
  const { vocabulary } = model.shape.tokenizer
  const weights = model.transformer
  const weight = weights.take('head.weight', [vocabulary, width])
  const logits = multiply(g, g.reshape(x, [-1, width]))(weight, g.weight(weights.take('head.bias', [vocabulary])))
  const batch = g.op('Slice', [g.op('Shape', [x]), g.ints([0]), g.ints([1])])
  const shaped = g.op('Reshape', [logits, g.op('Concat', [batch, g.ints([-1, vocabulary])], { axis: 0 })])
  return g.float === 'float' ? shaped : g.cast(shaped, 'float')
}
