import type { OpenModel } from '../model/open-model.ts'
import { GraphBuilder, type Value } from '../../../onnx/graph-builder.ts'
import { blendCodes, codesOfTokens, contribution, nextTokens, smoothInputs } from './codes.ts'
import { positionTable } from './condition.ts'
import { drawInputs, drawTokens } from './draw.ts'
import { guidanceInputs, guided } from './guidance.ts'
import type { Multiply } from './products.ts'
import { head, headInput, type KeyValue, transformerBlock, type TransformerScope } from './transformer.ts'

const pastName = (kind: 'k' | 'v', block: number) => `past_${kind}_${block}`
const presentName = (kind: 'k' | 'v', block: number) => `present_${kind}_${block}`

/** Names of each block's keys and values: as a run is fed them, and as it leaves them for the next. */
export const cacheNames = (depth: number): { past: string; present: string }[] =>
  Array.from({ length: depth }, (_, block) =>
    (['k', 'v'] as const).map((kind) => ({ past: pastName(kind, block), present: presentName(kind, block) }))
  ).flat()

const transformer = (scope: TransformerScope, x: Value): Value => {
  const { g, model } = scope
  const { depth, heads, headWidth, width } = model.shape.transformer
  const rowCount = g.op('Slice', [g.op('Shape', [x]), g.ints([0]), g.ints([1])])
  const modulation = g.input('modulation', 'float', ['R', depth, 6, width])
  const cacheShape = ['R', heads, 'past', headWidth] as const
  let y = x
  for (let block = 0; block < depth; block++) {
    const past = { k: g.input(pastName('k', block), 'float', cacheShape), v: g.input(pastName('v', block), 'float', cacheShape) }
    let present: KeyValue
    ;[y, present] = transformerBlock(scope, block, { x: y, modulation, past, rowCount })
    g.output(presentName('k', block), present.k, 'float')
    g.output(presentName('v', block), present.v, 'float')
  }
  return headInput(scope, y, g.input('head_modulation', 'float', ['R', 2, width]))
}

/**
 * One scale for a batch of B images in R rows: one conditional row per image, and one unconditional row per guided one.
 *
 * In: `x` [X, n^2, width] and `x_row` int64 [R], the entry of x each row reads; `modulation`, `head_modulation` of the
 * condition graph; `past_{k,v}_i` [R, heads, past, headWidth]; the inputs of guidance, draw and blending; `f_hat`
 * [B, channels, side, side]; `upsample` [n^2, side^2], `downsample` [side^2, m^2] to the next scale, `phi_index` int64 [];
 * `next_begin`, `next_end` int64 [1], the next scale's tokens among all.
 *
 * Out: `tokens` int64 [B, n^2], `next_f_hat`, `next_x` [B, m^2, width], `present_{k,v}_i`, and `logits` [B, n^2, vocabulary]
 * after guidance.
 */
export const stepGraph = (model: OpenModel, multiply: Multiply): Uint8Array => {
  const { side } = model.shape
  const { width } = model.shape.transformer
  const { channels, vocabulary } = model.shape.tokenizer
  const g = new GraphBuilder('step')
  const scope = { g, model, multiply }
  const x = g.op('Gather', [g.input('x', 'float', ['X', 'n2', width]), g.input('x_row', 'int64', ['R'])], { axis: 0 })
  const logits = head(scope, guided(g, transformer(scope, x), guidanceInputs(g)))
  const { tokens, keptLogits } = drawTokens(g, logits, drawInputs(g))
  const codes = blendCodes(g, model, codesOfTokens(g, model, tokens), keptLogits, smoothInputs(g, vocabulary))
  const upsample = g.input('upsample', 'float', ['n2', side * side])
  const phiIndex = g.input('phi_index', 'int64', [])
  const before = g.input('f_hat', 'float', ['B', channels, side, side])
  const fHat = g.op('Add', [before, contribution(g, model, { codes, upsample, phiIndex })])
  const embedded = nextTokens(g, model, fHat, g.input('downsample', 'float', [side * side, 'm2']))
  const span = [g.input('next_begin', 'int64', [1]), g.input('next_end', 'int64', [1])] as const
  const positions = g.op('Slice', [positionTable(g, model), ...span, g.ints([1])])
  g.output('logits', logits, 'float')
  g.output('tokens', tokens, 'int64')
  g.output('next_f_hat', fHat, 'float')
  g.output('next_x', g.op('Add', [embedded, positions]), 'float')
  return g.build()
}
