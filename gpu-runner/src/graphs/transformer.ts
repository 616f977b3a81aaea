import type { OpenModel } from '../model/open-model.ts'
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts'
import { layerNorm, linear } from './layers.ts'

/** exp(scale_mul) is capped at 100, as in the reference. */
const MAX_LOG_SCALE = Math.log(100)

export interface KeyValue {
  /** [R, heads, length, headWidth] */
  k: Value
  v: Value
}

/** x [R, n, width] * (1 + scale) + shift after layer norm; scale and shift [R, 1, width]. */
const modulated = (g: GraphBuilder, x: Value, width: number, scale: Value, shift: Value): Value =>
  g.op('Add', [g.op('Mul', [layerNorm(g, x, width), g.op('Add', [scale, g.scalar(1)])]), shift])

const queriesKeysValues = (g: GraphBuilder, model: OpenModel, name: string, x2d: Value, rows: Value): [Value, Value, Value] => {
  const { width } = model.shape.transformer
  const weights = model.transformer
  // The key has no bias; the checkpoint keeps zeros in its place, which need not be read.
  const bias = g.op(
    'Concat',
    [
      g.weight(weights.take(`${name}.q_bias`, [width])),
      g.floats(new Float32Array(width)),
      g.weight(weights.take(`${name}.v_bias`, [width]))
    ],
    { axis: 0 }
  )
  const qkv2d = g.op('Gemm', [x2d, g.weight(weights.take(`${name}.mat_qkv.weight`, [3 * width, width])), bias], { transB: 1 })
  // [R n, 3 width] -> [R, n, 3, heads, headWidth] -> three of [R, heads, n, headWidth]
  const split = g.op('Reshape', [qkv2d, rows])
  const heads = g.op('Transpose', [split], { perm: [2, 0, 3, 1, 4] })
  const parts = g.split('Split', [heads], 3, { axis: 0, num_outputs: 3 })
  return parts.map((part) => g.op('Squeeze', [part, g.ints([0])])) as [Value, Value, Value]
}

/** Attention of the new tokens over all scales so far. x [R, n, width]; returns the same shape and the grown cache. */
const attention = (
  g: GraphBuilder,
  model: OpenModel,
  name: string,
  x: Value,
  past: KeyValue,
  rowCount: Value
): [Value, KeyValue] => {
  const { width, heads, headWidth } = model.shape.transformer
  const rows = g.op('Concat', [rowCount, g.ints([-1, 3, heads, headWidth])], { axis: 0 })
  const [q, k, v] = queriesKeysValues(g, model, name, g.reshape(x, [-1, width]), rows)
  const logScale = g.weight(model.transformer.take(`${name}.scale_mul_1H11`, [1, heads, 1, 1]))
  const scale = g.op('Exp', [g.op('Min', [logScale, g.scalar(MAX_LOG_SCALE)])])
  const queries = g.op('Mul', [g.op('LpNormalization', [q], { axis: -1, p: 2 }), scale])
  const keys = g.op('Concat', [past.k, g.op('LpNormalization', [k], { axis: -1, p: 2 })], { axis: 2 })
  const values = g.op('Concat', [past.v, v], { axis: 2 })
  const scores = g.op('MatMul', [queries, g.op('Transpose', [keys], { perm: [0, 1, 3, 2] })])
  const mixed = g.op('MatMul', [g.op('Softmax', [scores], { axis: -1 }), values])
  const tokens = g.reshape(g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), [-1, width])
  const projected = linear(g, model.transformer, `${name}.proj`, tokens, [width, width])
  return [g.op('Reshape', [projected, g.op('Shape', [x])]), { k: keys, v: values }]
}

const feedForward = (g: GraphBuilder, model: OpenModel, name: string, x: Value): Value => {
  const { width } = model.shape.transformer
  const hiddenWidth = model.transformer.size(`${name}.fc1.weight`, [null, width], 0)
  const hidden = linear(g, model.transformer, `${name}.fc1`, g.reshape(x, [-1, width]), [width, hiddenWidth])
  const activated = g.op('Gelu', [hidden], { approximate: 'tanh' })
  const output = linear(g, model.transformer, `${name}.fc2`, activated, [hiddenWidth, width])
  return g.op('Reshape', [output, g.op('Shape', [x])])
}

/** Block `index` on x [R, n, width]; modulation [R, depth, 6, width]. */
export const transformerBlock = (
  g: GraphBuilder,
  model: OpenModel,
  index: number,
  inputs: { x: Value; modulation: Value; past: KeyValue; rowCount: Value }
): [Value, KeyValue] => {
  const { width } = model.shape.transformer
  const own = g.op('Gather', [inputs.modulation, g.ints([index], [])], { axis: 1 })
  const parts = g.split('Split', [own], 6, { axis: 1, num_outputs: 6 })
  const [gamma1, gamma2, scale1, scale2, shift1, shift2] = parts as [Value, Value, Value, Value, Value, Value]
  const attended = modulated(g, inputs.x, width, scale1, shift1)
  const [mixed, cache] = attention(g, model, `blocks.${index}.attn`, attended, inputs.past, inputs.rowCount)
  const x = g.op('Add', [inputs.x, g.op('Mul', [mixed, gamma1])])
  const fed = feedForward(g, model, `blocks.${index}.ffn`, modulated(g, x, width, scale2, shift2))
  return [g.op('Add', [x, g.op('Mul', [fed, gamma2])]), cache]
}

/** Logits [R, n, vocabulary] of x [R, n, width]; headModulation [R, 2, width]. */
export const head = (g: GraphBuilder, model: OpenModel, x: Value, headModulation: Value, rowCount: Value): Value => {
  const { width } = model.shape.transformer
  const { vocabulary } = model.shape.tokenizer
  const [scale, shift] = g.split('Split', [headModulation], 2, { axis: 1, num_outputs: 2 }) as [Value, Value]
  const normalised = g.reshape(modulated(g, x, width, scale, shift), [-1, width])
  const logits = linear(g, model.transformer, 'head', normalised, [width, vocabulary])
  return g.op('Reshape', [logits, g.op('Concat', [rowCount, g.ints([-1, vocabulary])], { axis: 0 })])
}
