import type { OpenModel } from '../model/open-model.ts'
import { type FloatType, GraphBuilder, type Value } from '../../../onnx/graph-builder.ts'
import { blendScales } from '../sampler/scale-plan.ts'
import { blendCodes, codesOfTokens, contribution, nextTokens } from './codes.ts'
import { condition, type Condition, positionTable } from './condition.ts'
import { decodedPixels } from './decoder.ts'
import { drawTokens } from './draw.ts'
import { guided } from './guidance.ts'
import { downsampleMatrix, phiIndex, upsampleMatrix } from './interpolation.ts'
import { floatProducts } from './products.ts'
import { head, headInput, type KeyValue, transformerBlock, type TransformerScope } from './transformer.ts'

/** Inputs of all scales at once; the draw's are fp32 whatever the graph computes in. */
const fusedInputs = (g: GraphBuilder, scales: number, tokens: number, vocabulary: number) => ({
  labels: g.input('labels', 'int64', [scales, 'R']),
  xRow: g.input('x_row', 'int64', ['R']),
  conditionalRow: g.input('conditional_row', 'int64', ['B']),
  unconditionalRow: g.input('unconditional_row', 'int64', ['B']),
  guidance: g.input('guidance', 'float', [scales, 'B', 1, 1]),
  lastKept: g.input('last_kept', 'int64', [scales, 'B', 1, 1]),
  sortLength: g.input('sort_length', 'int64', [scales, 1]),
  topP: g.input('top_p', 'float', [scales, 'B', 1, 1]),
  uniform: g.input('uniform', 'float', ['B', tokens, 1]),
  smoothImage: g.input('smooth_image', 'int64', ['N']),
  codeRow: g.input('code_row', 'int64', ['B']),
  gumbel: g.input('gumbel', 'float', ['N', tokens, vocabulary])
})
type FusedInputs = ReturnType<typeof fusedInputs>

interface Scale {
  index: number
  side: number
  /** Its tokens among all. */
  begin: number
  end: number
}

const ofScale = (g: GraphBuilder, value: Value, { index }: Scale): Value =>
  g.op('Gather', [value, g.ints([index], [])], { axis: 0 })

/** Tokens begin..end of the second axis. */
const tokensOf = (g: GraphBuilder, value: Value, { begin, end }: Scale): Value =>
  g.op('Slice', [value, g.ints([begin]), g.ints([end]), g.ints([1])])

const typed = (g: GraphBuilder, value: Value): Value => (g.float === 'float' ? value : g.cast(value, g.float))

/** The blocks and the head's AdaLN on x [R, n^2, width]; `cache` holds keys and values of the scales before, and grows. */
const runBlocks = (scope: TransformerScope, x: Value, { modulation, headModulation }: Condition, cache: KeyValue[]): Value => {
  const { g } = scope
  const rowCount = g.op('Slice', [g.op('Shape', [x]), g.ints([0]), g.ints([1])])
  let y = x
  for (let block = 0; block < scope.model.shape.transformer.depth; block++) {
    ;[y, cache[block]] = transformerBlock(scope, block, { x: y, modulation, past: cache[block], rowCount })
  }
  return headInput(scope, y, headModulation)
}

/** Draws one scale's tokens int64 [B, n^2] and their codes [B, n^2, channels]. */
const drawScale = (scope: TransformerScope, rows: Value, scale: Scale, inputs: FusedInputs) => {
  const { g, model } = scope
  const { conditionalRow, unconditionalRow, smoothImage, codeRow } = inputs
  const strength = typed(g, ofScale(g, inputs.guidance, scale))
  const logits = head(scope, guided(g, rows, { conditionalRow, unconditionalRow, strength }))
  const { tokens, keptLogits } = drawTokens(g, logits, {
    lastKept: ofScale(g, inputs.lastKept, scale),
    sortLength: ofScale(g, inputs.sortLength, scale),
    topP: ofScale(g, inputs.topP, scale),
    uniform: tokensOf(g, inputs.uniform, scale)
  })
  const [logitScale, noiseScale] = blendScales(scale.index / (model.shape.scales.length - 1))
  const codes = blendCodes(g, model, codesOfTokens(g, model, tokens), keptLogits, {
    image: smoothImage,
    codeRow,
    gumbel: tokensOf(g, inputs.gumbel, scale),
    logitScale: g.scalar(logitScale, 'float'),
    noiseScale: g.scalar(noiseScale, 'float')
  })
  return { tokens, codes }
}

/** f_hat fp32 after the codes of a scale. */
const grow = (g: GraphBuilder, model: OpenModel, fHat: Value | undefined, codes: Value, { index, side: n }: Scale): Value => {
  const { scales, side, tokenizer } = model.shape
  const upsample = g.floats(upsampleMatrix(n, side), [n * n, side * side])
  const phi = g.ints([phiIndex(index, scales.length, tokenizer.phis)], [])
  const added = contribution(g, model, { codes, upsample, phiIndex: phi })
  const wide = g.float === 'float' ? added : g.cast(added, 'float')
  return fHat === undefined ? wide : g.op('Add', [fHat, wide])
}

/** Input rows [R, m^2, width] of the scale that follows. */
const nextRows = (g: GraphBuilder, model: OpenModel, fHat: Value, next: Scale, xRow: Value): Value => {
  const { side } = model.shape
  const downsample = g.floats(downsampleMatrix(side, next.side), [side * side, next.side ** 2])
  const embedded = nextTokens(g, model, typed(g, fHat), downsample)
  const x = g.op('Add', [embedded, tokensOf(g, positionTable(g, model), next)])
  return g.op('Gather', [x, xRow], { axis: 0 })
}

const scalesOf = ({ shape }: OpenModel): Scale[] => {
  let begin = 0
  return shape.scales.map((side, index) => {
    begin += side * side
    return { index, side, begin: begin - side * side, end: begin }
  })
}

/** What depends on the class of every row, for each scale: a schedule may change it between scales. */
const conditions = (g: GraphBuilder, model: OpenModel, labels: Value) => {
  const all = condition(g, model, g.reshape(labels, [-1]))
  const { depth, width } = model.shape.transformer
  const { length } = model.shape.scales
  const modulation = g.reshape(all.modulation, [length, -1, depth, 6, width])
  const headModulation = g.reshape(all.headModulation, [length, -1, 2, width])
  const x = g.reshape(all.x, [length, -1, 1, width])
  return (scale: Scale): Condition => ({
    modulation: ofScale(g, modulation, scale),
    headModulation: ofScale(g, headModulation, scale),
    x: ofScale(g, x, scale)
  })
}

/**
 * All scales and the decoder in one run, for a device to which every crossing is dear: labels, knobs and random numbers go
 * in, tokens and pixels come out. Composed of the same functions as the step graph.
 *
 * In: `labels` int64 [S, R] of every row at every scale; `x_row` int64 [R], the image of each row; `conditional_row`,
 * `unconditional_row` int64 [B]; `guidance`, `last_kept`, `top_p` [S, B, 1, 1] and `sort_length` [S, 1] as in `DrawInputs`;
 * `uniform` [B, tokens, 1]; `smooth_image` int64 [N], `code_row` int64 [B], `gumbel` [N, tokens, vocabulary].
 * Out: `tokens` int64 [B, tokens], `pixels` uint8 [B, resolution, resolution, 3].
 */
export const fusedGraph = (model: OpenModel, float: FloatType): Uint8Array => {
  const g = new GraphBuilder('fused', float)
  const scope = { g, model, multiply: floatProducts }
  const scales = scalesOf(model)
  const inputs = fusedInputs(g, scales.length, model.shape.tokens, model.shape.tokenizer.vocabulary)
  const conditionOf = conditions(g, model, inputs.labels)
  const cache: KeyValue[] = []
  const drawn: Value[] = []
  let x: Value | undefined
  let fHat: Value | undefined
  for (const scale of scales) {
    const conditioned = conditionOf(scale)
    const { tokens, codes } = drawScale(scope, runBlocks(scope, x ?? conditioned.x, conditioned, cache), scale, inputs)
    drawn.push(tokens)
    fHat = grow(g, model, fHat, codes, scale)
    const next = scales[scale.index + 1]
    if (next) x = nextRows(g, model, fHat, next, inputs.xRow)
  }
  if (fHat === undefined) throw new RangeError('a model has at least one scale')
  g.output('tokens', g.op('Concat', drawn, { axis: 1 }), 'int64')
  g.output('pixels', decodedPixels(g, model, fHat), 'uint8')
  return g.build()
}
