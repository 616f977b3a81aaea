import { drawInputs, drawTokens } from '../graphs/draw.ts'
import type { OpenModel } from '../model/open-model.ts'
import { GraphBuilder } from '../../../onnx/graph-builder.ts'
import { drawFeeds } from '../sampler/draw-feeds.ts'
import type { ImageRequest } from '../sampler/image-request.ts'
import { scalePlans } from '../sampler/scale-plan.ts'
import { floats } from '../../../onnx/tensors.ts'
import { openSession } from './open-session.ts'

/** Logits of about the spread that trained models have. */
const LOGIT_RANGE = 10

const drawGraph = (vocabulary: number): Uint8Array => {
  const g = new GraphBuilder('draw')
  const logits = g.input('logits', 'float', ['B', 'n2', vocabulary])
  g.output('tokens', drawTokens(g, logits, drawInputs(g)).tokens, 'int64')
  return g.build()
}

/** Times top-k, top-p and draw alone: milliseconds for a batch over all scales, with the model's own settings. */
export const openDraw = async (model: OpenModel, threads: number): Promise<(batch: number) => Promise<number>> => {
  const { vocabulary } = model.shape.tokenizer
  const { cfg, top_k: topK, top_p: topP } = model.manifest.defaults
  const session = await openSession(drawGraph(vocabulary), threads)
  const plans = scalePlans(model.shape)
  return async (batch) => {
    const requests = Array.from({ length: batch }, (_, seed): ImageRequest => ({
      seed,
      label: 0,
      cfg,
      topK,
      topP,
      smooth: false,
      schedule: null
    }))
    const drawn = requests.map((request, place) => ({ request, unconditionalRow: place }))
    let spent = 0
    for (const [scale, plan] of plans.entries()) {
      const size = [batch, plan.side ** 2, vocabulary] as const
      const values = Float32Array.from({ length: batch * plan.side ** 2 * vocabulary }, () => Math.random() * LOGIT_RANGE)
      const logits = floats(values, size)
      const begun = performance.now()
      const feeds = drawFeeds(drawn, plan, scale, vocabulary)
      const { last_kept, sort_length, top_p, uniform } = feeds
      await session.run({ logits, last_kept, sort_length, top_p, uniform })
      spent += performance.now() - begun
    }
    return spent
  }
}
