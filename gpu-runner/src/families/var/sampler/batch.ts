import type { Tensor } from 'onnxruntime-node'
import { discard, takeRows } from '../../../onnx/tensors.ts'
import type { DrawnImage } from './draw-feeds.ts'
import type { ImageRequest } from './image-request.ts'

/** One image of a batch. */
export interface BatchImage {
  /** Index in the batch as asked for. */
  index: number
  request: ImageRequest
  isGuided: boolean
  /** Room for the tokens of all scales; those up to the present one have been drawn. */
  tokens: Int32Array
}

/** A row of the transformer: one per image, then one more per guided image, which is unconditional. */
export interface Row {
  image: BatchImage
  /** Place of the image in the batch. */
  position: number
  isConditional: boolean
}

/** What conditions the rows: AdaLN's parameters, and at the first scale the embedded start. */
export interface Condition {
  modulation: Tensor
  headModulation: Tensor
  x: Tensor
}

/** All that a scale leaves for the next. The images say what rows there are; B is their number, R that of the rows. */
export interface Batch {
  images: readonly BatchImage[]
  /** [R, ...] */
  modulation: Tensor
  /** [R, ...] */
  headModulation: Tensor
  /** Embedded tokens of the next scale, [B, n^2, width]; at the first one [R, 1, width]. */
  x: Tensor
  /** Running sums, [B, channels, side, side]. */
  fHat: Tensor
  /** Keys and values of the scales so far, [R, heads, tokens, head width] each. */
  cache: Record<string, Tensor>
}

export const rowsOf = (images: readonly BatchImage[]): Row[] => {
  const conditional = images.map((image, position) => ({ image, position, isConditional: true }))
  const guided = conditional.filter(({ image }) => image.isGuided)
  return [...conditional, ...guided.map((row) => ({ ...row, isConditional: false }))]
}

/** The images as they are drawn: each with the row of its unconditional branch. */
export const drawnImages = (images: readonly BatchImage[]): DrawnImage[] => {
  const unconditional = new Map(rowsOf(images).map(({ position }, row) => [position, row]))
  return images.map(({ request }, position) => ({ request, unconditionalRow: unconditional.get(position) ?? position }))
}

/** A batch without some of its images, by index: their rows go from everything that is carried on. */
export const withoutImages = (batch: Batch, dropped: ReadonlySet<number>): Batch => {
  const isKept = ({ index }: BatchImage) => !dropped.has(index)
  if (batch.images.every(isKept)) return batch
  const places = [...batch.images.entries()].flatMap(([position, image]) => (isKept(image) ? [position] : []))
  const rows = [...rowsOf(batch.images).entries()].flatMap(([row, { image }]) => (isKept(image) ? [row] : []))
  const cache = Object.fromEntries(Object.entries(batch.cache).map(([name, tensor]) => [name, takeRows(tensor, rows)]))
  Object.values(batch.cache).forEach(discard)
  return {
    images: batch.images.filter(isKept),
    modulation: takeRows(batch.modulation, rows),
    headModulation: takeRows(batch.headModulation, rows),
    x: takeRows(batch.x, places),
    fHat: takeRows(batch.fHat, places),
    cache
  }
}
