import { stat } from 'node:fs/promises'
import { modelCard } from '../families/var/card.ts'
import type { OpenModel } from '../families/var/model/open-model.ts'
import type { Weights } from '../model/weights.ts'
import { formatBytes } from '../units.ts'
import { formatCount } from './format.ts'

/** Files that hold tensors of a model. */
const weightFiles = ({ tokenizer, transformer }: OpenModel): string[] => [
  ...new Set([tokenizer, transformer].flatMap(({ tensors }) => [...tensors.values()].map(({ file }) => file)))
]

export const weightBytes = async (model: OpenModel): Promise<number> => {
  const sizes = await Promise.all(weightFiles(model).map(async (file) => (await stat(file)).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The types of matrices, which are nearly all of the weights. */
const precision = ({ tensors }: Weights): string =>
  [
    ...new Set(
      [...tensors.values()].filter(({ name, shape }) => shape.length > 1 && name.endsWith('.weight')).map(({ dtype }) => dtype)
    )
  ].join('+')

/** What there is to know of a model at a glance. */
export const describeModel = async (model: OpenModel) => {
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
    weights: formatBytes(await weightBytes(model)),
    precision: [...precisions].join('/')
  }
}
