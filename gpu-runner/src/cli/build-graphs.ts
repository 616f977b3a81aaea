import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts } from '../graphs/products.ts'
import { stepGraph } from '../graphs/step.ts'
import type { OpenModel } from '../model/open-model.ts'

/**
 * Builds every graph of a model, which holds every tensor against the shape it must have.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const buildGraphs = (model: OpenModel): void => {
  conditionGraph(model)
  stepGraph(model, floatProducts)
  decoderGraph(model)
}
