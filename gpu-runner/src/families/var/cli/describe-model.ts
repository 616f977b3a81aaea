import { modelCard } from '../card.ts'
import type { OpenModel } from '../model/open-model.ts'
import type { Weights } from '../../../model/weights.ts'
import { formatCount } from '../../../cli/format.ts'

/** The types of matrices, which are nearly all of the weights. */
const precision = ({ tensors }: Weights): string =>
  [
    ...new Set(
      [...tensors.values()].filter(({ name, shape }) => shape.length > 1 && name.endsWith('.weight')).map(({ dtype }) => dtype)
    )
  ].join('+')

/** What there is to know of a model at a glance. */
export const describeModel = (model: OpenModel) => {
  const { id, name, revision, parameters } = modelCard(model, 'step')
  const { resolution, transformer } = model.shape
  const precisions = new Set([precision(model.transformer), precision(model.tokenizer)])
  return {
    id,
    name,
    revision,
    resolution: `${resolution} px`,
    classes: String(transformer.classes),
    parameters: `${formatCount(parameters.transformer)} + ${formatCount(parameters.tokenizer)}`,
    precision: [...precisions].join('/')
  }
}
