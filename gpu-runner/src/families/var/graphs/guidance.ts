import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'

export interface GuidanceInputs {
  /** Row of each image's conditional branch, int64 [B]. */
  conditionalRow: Value
  /** Row of its unconditional branch; for an unguided image any row, since its strength is 0. */
  unconditionalRow: Value
  /** Guidance strength t of this scale, [B, 1, 1]. */
  strength: Value
}

/** The guidance's inputs of a graph. */
export const guidanceInputs = (g: GraphBuilder): GuidanceInputs => ({
  conditionalRow: g.input('conditional_row', 'int64', ['B']),
  unconditionalRow: g.input('unconditional_row', 'int64', ['B']),
  strength: g.input('guidance', g.float, ['B', 1, 1])
})

/**
 * (1 + t) cond - t uncond of rows [R, n, C]: [B, n, C]. The head is linear and 1 + t - t = 1, so guiding what goes into it
 * gives the same logits as guiding what comes out, for half of the head's products.
 */
export const guided = (g: GraphBuilder, rows: Value, { conditionalRow, unconditionalRow, strength }: GuidanceInputs): Value => {
  const conditional = g.op('Gather', [rows, conditionalRow], { axis: 0 })
  const unconditional = g.op('Gather', [rows, unconditionalRow], { axis: 0 })
  const strengthened = g.op('Mul', [conditional, g.op('Add', [strength, g.scalar(1)])])
  return g.op('Sub', [strengthened, g.op('Mul', [unconditional, strength])])
}
