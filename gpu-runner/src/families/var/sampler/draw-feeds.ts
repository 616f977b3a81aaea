import type { Tensor } from 'onnxruntime-node'
import { type ImageRequest, seedAt, strengthAt, topKAt, topPAt } from './image-request.ts'
import { gumbelNoise, tokenUniform } from './uniform-numbers.ts'
import type { ScalePlan } from './scale-plan.ts'
import { floats, ints } from '../../../onnx/tensors.ts'

/** An image that takes part in a scale. */
export interface DrawnImage {
  request: ImageRequest
  /** Row of its unconditional branch; its own place in the batch when it is not guided. */
  unconditionalRow: number
}

const uniformFeed = (requests: readonly ImageRequest[], scale: number, tokens: number): Tensor => {
  const uniform = new Float32Array(requests.length * tokens)
  requests.forEach((request, image) => {
    const seed = seedAt(request, scale)
    for (let position = 0; position < tokens; position++) uniform[image * tokens + position] = tokenUniform(seed, scale, position)
  })
  return floats(uniform, [requests.length, tokens, 1])
}

/** Which images are blended, and their noise. */
const smoothFeeds = (requests: readonly ImageRequest[], scale: number, tokens: number, vocabulary: number) => {
  const smooth = requests.flatMap((request, image) => (request.smooth ? [image] : []))
  const codeRow = requests.map((_, image) => (smooth.includes(image) ? requests.length + smooth.indexOf(image) : image))
  const gumbel = new Float32Array(smooth.length * tokens * vocabulary)
  const blended = requests.filter((request) => request.smooth)
  blended.forEach((request, order) => {
    const place = gumbel.subarray(order * tokens * vocabulary, (order + 1) * tokens * vocabulary)
    gumbelNoise(seedAt(request, scale), scale, place)
  })
  return {
    smooth_image: ints(smooth),
    code_row: ints(codeRow),
    gumbel: floats(gumbel, [smooth.length, tokens, vocabulary])
  }
}

/** What guidance, draw and blending of one scale are fed. */
export const drawFeeds = (images: readonly DrawnImage[], plan: ScalePlan, scale: number, vocabulary: number) => {
  const requests = images.map(({ request }) => request)
  const knobs = [requests.length, 1, 1]
  const tokens = plan.side ** 2
  const kept = requests.map((request) => topKAt(request, scale) || vocabulary)
  // An unguided image reads its own row twice, so its strength must not act.
  const strength = images.map(({ request, unconditionalRow }, place) =>
    unconditionalRow === place ? 0 : strengthAt(request, scale, plan)
  )
  // Rounding must not cost the least likely token its place when top-p is off.
  const mass = requests.map((request) => (topPAt(request, scale) >= 1 ? 2 : topPAt(request, scale)))
  return {
    conditional_row: ints([...requests.keys()]),
    unconditional_row: ints(images.map(({ unconditionalRow }) => unconditionalRow)),
    guidance: floats(Float32Array.from(strength), knobs),
    last_kept: ints(
      kept.map((k) => k - 1),
      knobs
    ),
    sort_length: ints([Math.max(...kept)]),
    top_p: floats(Float32Array.from(mass), knobs),
    uniform: uniformFeed(requests, scale, tokens),
    ...smoothFeeds(requests, scale, tokens, vocabulary)
  }
}
