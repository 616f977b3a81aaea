import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { stepGraph } from '../graphs/step.ts'
import type { OpenModel } from '../model/open-model.ts'

/**
 * Builds every graph of a model, which holds every tensor against the shape it must have.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const buildGraphs = (model: OpenModel): void => {
  for (const build of [conditionGraph, stepGraph, decoderGraph]) build(model)
}
