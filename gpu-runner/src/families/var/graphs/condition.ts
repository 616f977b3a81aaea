import type { OpenModel } from '../model/open-model.ts'
import { GraphBuilder, type Value } from '../../../onnx/graph-builder.ts'
import { linear, silu } from './layers.ts'

const blockModulation = (g: GraphBuilder, model: OpenModel, activated: Value): Value => {
  const { depth, width, sharedAdaln } = model.shape.transformer
  const weights = model.transformer
  const sixParts = (x: Value) => g.reshape(x, [-1, 1, 6, width])
  if (!sharedAdaln) {
    const blocks = Array.from({ length: depth }, (_, block) =>
      sixParts(linear(g, weights, `blocks.${block}.ada_lin.1`, activated, [width, 6 * width]))
    )
    return g.op('Concat', blocks, { axis: 1 })
  }
  const shared = sixParts(linear(g, weights, 'shared_ada_lin.1', activated, [width, 6 * width]))
  const blocks = Array.from({ length: depth }, (_, block) =>
    g.op('Add', [shared, g.weight(weights.take(`blocks.${block}.ada_gss`, [1, 1, 6, width]))])
  )
  return g.op('Concat', blocks, { axis: 1 })
}

export interface Condition {
  /** [R, depth, 6, width] in the checkpoint’s order (gamma1 gamma2 scale1 scale2 shift1 shift2), 1 added to the scales. */
  modulation: Value
  /** [R, 2, width] (scale, shift), 1 added to the scale. */
  headModulation: Value
  /** Input of the first scale, [R, 1, width]. */
  x: Value
}

/** All that depends on the class alone, of labels int64 [R]: computed once per image and not once per scale. */
export const condition = (g: GraphBuilder, model: OpenModel, labels: Value): Condition => {
  const { shape, transformer: weights } = model
  const { width, classes } = shape.transformer
  const embedding = g.op('Gather', [g.weight(weights.take('class_emb.weight', [classes + 1, width])), labels], { axis: 0 })
  const activated = silu(g, embedding)
  const modulation = g.op('Add', [blockModulation(g, model, activated), g.floats([0, 0, 1, 1, 0, 0], [6, 1])])
  const headParts = g.reshape(linear(g, weights, 'head_nm.ada_lin.1', activated, [width, 2 * width]), [-1, 2, width])
  const start = g.weight(weights.take('pos_start', [1, 1, width]))
  const first = g.op('Slice', [positionTable(g, model), g.ints([0]), g.ints([1]), g.ints([1])])
  return {
    modulation,
    headModulation: g.op('Add', [headParts, g.floats([1, 0], [2, 1])]),
    x: g.op('Add', [g.op('Add', [g.op('Unsqueeze', [embedding, g.ints([1])]), start]), first])
  }
}

/** Input: `labels` int64 [R]. Outputs: `modulation`, `head_modulation`, `x`. */
export const conditionGraph = (model: OpenModel): Uint8Array => {
  const g = new GraphBuilder('condition')
  const { modulation, headModulation, x } = condition(g, model, g.input('labels', 'int64', ['R']))
  g.output('modulation', modulation, 'float')
  g.output('head_modulation', headModulation, 'float')
  g.output('x', x, 'float')
  return g.build()
}

/** Position plus level embedding of every token: [1, tokens, width]. */
export const positionTable = (g: GraphBuilder, { shape, transformer }: OpenModel): Value => {
  const { scales, tokens } = shape
  const { width } = shape.transformer
  const levels = g.weight(transformer.take('lvl_embed.weight', [scales.length, width]))
  const levelOfToken = scales.flatMap((n, k) => new Array<number>(n * n).fill(k))
  const position = g.weight(transformer.take('pos_1LC', [1, tokens, width]))
  return g.op('Add', [position, g.op('Gather', [levels, g.ints(levelOfToken)], { axis: 0 })])
}
