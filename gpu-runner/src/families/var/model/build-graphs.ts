import type { FloatTensor } from '../../../checkpoint/tensor-info.ts'
import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts } from '../graphs/products.ts'
import { stepGraph } from '../graphs/step.ts'
import type { OpenModel } from './open-model.ts'
import { type ExpectedShape, Weights } from '../../../model/weights.ts'

/** Weights that keep account of what is taken of them. */
class CountedWeights extends Weights {
  readonly taken = new Map<string, FloatTensor>()

  override take(name: string, shape: ExpectedShape): FloatTensor {
    const tensor = super.take(name, shape)
    this.taken.set(name, tensor)
    return tensor
  }
}

const counted = ({ path, tensors }: Weights) => new CountedWeights(path, tensors)

/**
 * Builds every graph of a model, which holds every tensor against the type and the shape it must have, and says which
 * tensors those are.
 * @throws ModelError naming a missing tensor, a wrong type or a wrong shape.
 */
export const buildGraphs = (model: OpenModel): FloatTensor[] => {
  const [tokenizer, transformer] = [counted(model.tokenizer), counted(model.transformer)]
  const observed = { ...model, tokenizer, transformer }
  conditionGraph(observed)
  stepGraph(observed, floatProducts)
  decoderGraph(observed)
  return [tokenizer, transformer].flatMap(({ taken }) => [...taken.values()])
}
