import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'

/** Settings and randomness of a draw. Everything here is fp32, whatever the graph around it computes in. */
export interface DrawInputs {
  /** k - 1 with k the tokens to keep, int64 [B, 1, 1]. */
  lastKept: Value
  /** The largest k of the batch, int64 [1]. It bounds the sort and changes no result. */
  sortLength: Value
  /** Mass to keep, [B, 1, 1]; above 1 keeps all. */
  topP: Value
  /** One uniform number in [0, 1) per token, [B, n, 1]. */
  uniform: Value
}

/** The draw's inputs of a graph, for logits [B, n^2, V]. */
export const drawInputs = (g: GraphBuilder): DrawInputs => ({
  lastKept: g.input('last_kept', 'int64', ['B', 1, 1]),
  sortLength: g.input('sort_length', 'int64', [1]),
  topP: g.input('top_p', 'float', ['B', 1, 1]),
  uniform: g.input('uniform', 'float', ['B', 'n2', 1])
})

const zero = (g: GraphBuilder) => g.scalar(0, 'float')

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
    g.op('Where', [g.op('GreaterOrEqual', [values, kth]), g.op('Exp', [g.op('Sub', [values, greatest])]), zero(g)])
  const mass = g.op('ReduceSum', [weight(logits), lastAxis], keepDims)
  // A token stays while the mass of those likelier than it is below p: the likeliest always does.
  const before = g.op('CumSum', [weight(sorted), g.ints([-1], [])], { exclusive: 1 })
  const inside = g.op('And', [g.op('Less', [before, g.op('Mul', [mass, inputs.topP])]), g.op('GreaterOrEqual', [sorted, kth])])
  const least = g.op('ReduceMin', [g.op('Where', [inside, sorted, greatest]), lastAxis], keepDims)
  return { least, greatest }
}

export interface Drawn {
  /** int64 [B, n] */
  tokens: Value
  /** Logits of the tokens that top-k and top-p leave; those of the others are -infinity. [B, n, V] */
  keptLogits: Value
}

/**
 * Top-k, then top-p on what is left, then one draw per token by inverse CDF over the vocabulary in index order, from
 * logits [B, n, V].
 */
export const drawTokens = (g: GraphBuilder, logits: Value, inputs: DrawInputs): Drawn => {
  const { least, greatest } = threshold(g, logits, inputs)
  const keptLogits = g.op('Where', [g.op('GreaterOrEqual', [logits, least]), logits, g.scalar(Number.NEGATIVE_INFINITY, 'float')])
  const weights = g.op('Exp', [g.op('Sub', [keptLogits, greatest])])
  const cumulative = g.op('CumSum', [weights, g.ints([-1], [])])
  const total = g.op('Slice', [cumulative, g.ints([-1]), g.ints([Number.MAX_SAFE_INTEGER]), g.ints([-1])])
  // The drawn token is the first whose cumulative weight exceeds u * total, so one of weight 0 is never drawn.
  const below = g.op('LessOrEqual', [cumulative, g.op('Mul', [total, inputs.uniform])])
  return { tokens: g.op('ReduceSum', [g.cast(below, 'int64'), g.ints([-1])], { keepdims: 0 }), keptLogits }
}
