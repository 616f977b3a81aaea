import { ints, pick, takeRows } from '../../../onnx/tensors.ts'
import { type Batch, type BatchImage, type Condition, rowsOf } from './batch.ts'
import type { Engine } from './engine.ts'
import { labelAt } from './image-request.ts'

/** Class of each row at a scale; the unconditional one has the index after the last. */
const labelsAt = (images: readonly BatchImage[], scale: number, classes: number): number[] =>
  rowsOf(images).map(({ image, isConditional }) => (isConditional ? labelAt(image.request, scale) : null) ?? classes)

/** A single row is computed as one of two: the runtime's kernel for one row alone sums in another order. */
const conditionOn = async ({ condition }: Engine, labels: readonly number[]): Promise<Condition> => {
  const outputs = await condition.run({ labels: ints(labels.length === 1 ? [...labels, ...labels] : labels) })
  const rows = (name: string) => takeRows(pick(outputs, name), [...labels.keys()])
  return { modulation: rows('modulation'), headModulation: rows('head_modulation'), x: rows('x') }
}

/** What the rows of a batch begin with. */
export const firstCondition = (engine: Engine, images: readonly BatchImage[]): Promise<Condition> =>
  conditionOn(engine, labelsAt(images, 0, engine.model.shape.transformer.classes))

/** The batch as it is conditioned at a scale: a schedule may change classes between scales. */
export const followLabels = async (engine: Engine, batch: Batch, scale: number): Promise<Batch> => {
  const { classes } = engine.model.shape.transformer
  const before = labelsAt(batch.images, Math.max(scale - 1, 0), classes)
  const labels = labelsAt(batch.images, scale, classes)
  if (labels.every((label, row) => label === before[row])) return batch
  const { modulation, headModulation } = await conditionOn(engine, labels)
  return { ...batch, modulation, headModulation }
}
