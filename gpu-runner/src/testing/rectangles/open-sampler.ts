import { setTimeout } from 'node:timers/promises'
import type { OpenSampler, SampledImage, SampleOptions, SampleResult } from '../../families/open-sampler.ts'
import { decode } from './decode.ts'
import { drawScale } from './draw-scale.ts'
import type { ImageRequest } from './image-request.ts'
import type { RectanglesOpening } from './manifest.ts'

interface Image {
  index: number
  request: ImageRequest
  /** Of each scale so far. */
  drawn: Int32Array[]
}

const finish = ({ index, request, drawn }: Image): SampledImage => ({
  index,
  ...decode(request.size, request.last, drawn.at(-1) ?? new Int32Array()),
  tokens: Int32Array.from(drawn.flatMap((tokens) => [...tokens]))
})

/** Draws one scale of each image, at the pace of the model. */
const drawAll = async (images: readonly Image[], scale: number, scaleMs: number): Promise<number> => {
  const begun = performance.now()
  for (const { request, drawn } of images) drawn.push(drawScale(request, scale, drawn.at(-1)))
  if (scaleMs > 0) await setTimeout(scaleMs)
  return performance.now() - begun
}

const sample = async (
  requests: readonly ImageRequest[],
  { afterScale, onPreview }: SampleOptions,
  paceMs: number
): Promise<SampleResult> => {
  let images = requests.map((request, index): Image => ({ index, request, drawn: [] }))
  const done: SampledImage[] = []
  const scaleMs: number[] = []
  const dropped = new Set<number>()
  for (let scale = 0; images.length > 0; scale++) {
    const elapsedMs = await drawAll(images, scale, paceMs)
    scaleMs.push(elapsedMs)
    const left = await afterScale?.({ scale, elapsedMs })
    left?.forEach((index) => dropped.add(index))
    images = images.filter(({ index }) => !dropped.has(index))
    done.push(...images.filter(({ request }) => request.last === scale).map(finish))
    images = images.filter(({ request }) => request.last > scale)
    for (const { index, request, drawn } of images) {
      if (!request.previews.includes(scale)) continue
      onPreview?.({ index, scale, decodeMs: 0, ...decode(request.size, scale, drawn.at(-1) ?? new Int32Array()) })
    }
  }
  return { images: done.toSorted((a, b) => a.index - b.index).filter(({ index }) => !dropped.has(index)), scaleMs, decodeMs: 0 }
}

export const openSampler = async ({ scaleMs }: RectanglesOpening): Promise<OpenSampler> => ({
  sample: (requests: readonly ImageRequest[], options: SampleOptions) => sample(requests, options, scaleMs),
  // There is nothing to give back.
  release: () => Promise.resolve()
})
