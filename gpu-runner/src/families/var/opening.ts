import { Weights } from '../../model/weights.ts'
import type { OpenModel } from './model/open-model.ts'

type PlainWeights = Pick<Weights, 'path' | 'tensors'>

/** A checked model as it crosses to the sampler process, which need not read manifest and headers again. */
export interface VarOpening extends Omit<OpenModel, 'tokenizer' | 'transformer'> {
  tokenizer: PlainWeights
  transformer: PlainWeights
}

const plain = ({ path, tensors }: Weights): PlainWeights => ({ path, tensors })
const weights = ({ path, tensors }: PlainWeights): Weights => new Weights(path, tensors)

export const toOpening = (model: OpenModel): VarOpening => ({
  ...model,
  tokenizer: plain(model.tokenizer),
  transformer: plain(model.transformer)
})

export const fromOpening = (opening: VarOpening): OpenModel => ({
  ...opening,
  tokenizer: weights(opening.tokenizer),
  transformer: weights(opening.transformer)
})
