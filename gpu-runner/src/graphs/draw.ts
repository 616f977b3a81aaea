import type { GraphBuilder, Value } from '../onnx/graph-builder.ts'

export interface DrawInputs {
  /** Logits of every row, [R, n, V]. */
  logits: Value
  /** Row of each image's conditional logits, int64 [B]. */
  conditionalRow: Value
  /** Row of its unconditional logits; for an unguided image any row, since its strength is 0. */
  unconditionalRow: Value
  /** Guidance strength t of this scale, [B, 1, 1]. */
  guidance: Value
  /** k - 1 with k the tokens to keep, int64 [B, 1, 1]. */
  lastKept: Value
  /** The largest k of the batch, int64 [1]. It bounds the sort and changes no result. */
  sortLength: Value
  /** Mass to keep, [B, 1, 1]; above 1 keeps all. */
  topP: Value
  /** One uniform number in [0, 1) per token, [B, n, 1]. */
  uniform: Value
}

/** The draw's inputs of a graph, for logits [R, n^2, V]. */
export const drawInputs = (g: GraphBuilder, logits: Value): DrawInputs => ({
  logits,
  conditionalRow: g.input('conditional_row', 'int64', ['B']),
  unconditionalRow: g.input('unconditional_row', 'int64', ['B']),
  guidance: g.input('guidance', 'float', ['B', 1, 1]),
  lastKept: g.input('last_kept', 'int64', ['B', 1, 1]),
  sortLength: g.input('sort_length', 'int64', [1]),
  topP: g.input('top_p', 'float', ['B', 1, 1]),
  uniform: g.input('uniform', 'float', ['B', 'n2', 1])
})

/** (1 + t) cond - t uncond: [B, n, V]. */
export const guidedLogits = (g: GraphBuilder, { logits, conditionalRow, unconditionalRow, guidance }: DrawInputs): Value => {
  const conditional = g.op('Gather', [logits, conditionalRow], { axis: 0 })
  const unconditional = g.op('Gather', [logits, unconditionalRow], { axis: 0 })
  const strengthened = g.op('Mul', [conditional, g.op('Add', [guidance, g.scalar(1)])])
  return g.op('Sub', [strengthened, g.op('Mul', [unconditional, guidance])])
}

const keepDims = { keepdims: 1 } as const

/**
 * The smallest logit that survives top-k and then top-p, [B, n, 1]. Both keep ties, so the result depends on the
 * values alone and never on the order a sort happens to give equal ones.
 */
const threshold = (g: GraphBuilder, logits: Value, inputs: DrawInputs): { least: Value; greatest: Value } => {
  const lastAxis = g.ints([-1])
  const [sorted] = g.split('TopK', [logits, inputs.sortLength], 2, { axis: -1, largest: 1, sorted: 1 })
  const greatest = g.op('Slice', [sorted, g.ints([0]), g.ints([1]), lastAxis])
  // One index per token: the same k for all tokens of an image.
  const tokenShape = g.op('Shape', [greatest])
  const kth = g.op('GatherElements', [sorted, g.op('Expand', [inputs.lastKept, tokenShape])], { axis: -1 })
  const weight = (values: Value) =>
    g.op('Where', [g.op('GreaterOrEqual', [values, kth]), g.op('Exp', [g.op('Sub', [values, greatest])]), g.scalar(0)])
  const mass = g.op('ReduceSum', [weight(logits), lastAxis], keepDims)
  // A token stays while the mass of those likelier than it is below p: the likeliest always does.
  const before = g.op('CumSum', [weight(sorted), g.ints([-1], [])], { exclusive: 1 })
  const inside = g.op('And', [g.op('Less', [before, g.op('Mul', [mass, inputs.topP])]), g.op('GreaterOrEqual', [sorted, kth])])
  const least = g.op('ReduceMin', [g.op('Where', [inside, sorted, greatest]), lastAxis], keepDims)
  return { least, greatest }
}

/**
 * Top-k, then top-p on what is left, then one draw per token by inverse CDF over the vocabulary in index order.
 * logits [B, n, V] to tokens int64 [B, n].
 */
export const drawTokens = (g: GraphBuilder, logits: Value, inputs: DrawInputs): Value => {
  const { least, greatest } = threshold(g, logits, inputs)
  const kept = g.op('GreaterOrEqual', [logits, least])
  const weights = g.op('Where', [kept, g.op('Exp', [g.op('Sub', [logits, greatest])]), g.scalar(0)])
  const cumulative = g.op('CumSum', [weights, g.ints([-1], [])])
  const total = g.op('Slice', [cumulative, g.ints([-1]), g.ints([Number.MAX_SAFE_INTEGER]), g.ints([-1])])
  // The drawn token is the first whose cumulative weight exceeds u * total, so one of weight 0 is never drawn.
  const below = g.op('LessOrEqual', [cumulative, g.op('Mul', [total, inputs.uniform])])
  return g.op('ReduceSum', [g.cast(below, 'int64'), g.ints([-1])], { keepdims: 0 })
}
