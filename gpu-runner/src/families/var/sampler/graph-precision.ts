import type { InferenceSession } from 'onnxruntime-node'
import type { Precision } from '../../../sampler/sampler-form.ts'
import type { SessionKind } from '../../../sampler/session-options.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts, int8Products, type Multiply } from '../graphs/products.ts'
import { quantizedConv3x3 } from '../graphs/quantized-conv.ts'
import type { OpenModel } from '../model/open-model.ts'
import { decoderRanges } from './decoder-ranges.ts'
import type { Engine } from './engine.ts'
import { int8Levels } from './int8-levels.ts'
import { DECODER, INT8_DECODER, STEP } from './session-kinds.ts'

/** What a precision makes of a model's graphs. */
export interface GraphPrecision {
  /** Whether the session of AdaLN stays open between batches. */
  keepsCondition: boolean
  /** How the step graph multiplies, and how it is run. */
  multiply: Multiply
  step: SessionKind
  /** The decoder's graph, and how it is run. `open` opens a session that is not kept. */
  decoder(
    engine: Omit<Engine, 'decoder'>,
    cache: string | null,
    open: (graph: Uint8Array) => Promise<InferenceSession>
  ): Promise<{ graph: Uint8Array; kind: SessionKind }>
}

/** AdaLN is used once per image. From this size on, fp32 spares its memory for the milliseconds of opening it for each batch. */
const MAX_KEPT_CONDITION_BYTES = 64 * 2 ** 20
const BYTES_PER_VALUE = 4
const isAdaln = (name: string) => name.includes('ada_lin')

const fp32 = ({ transformer }: OpenModel): GraphPrecision => ({
  keepsCondition: transformer.parameters(isAdaln) * BYTES_PER_VALUE <= MAX_KEPT_CONDITION_BYTES,
  multiply: floatProducts,
  step: STEP,
  decoder: async ({ model }) => ({ graph: decoderGraph(model), kind: DECODER })
})

/** Chosen for its speed, and keeps what costs it some. */
const int8 = async (): Promise<GraphPrecision> => {
  const levels = await int8Levels()
  return {
    keepsCondition: true,
    multiply: int8Products(levels),
    step: {},
    decoder: async (engine, cache, open) => {
      const conv3x3 = quantizedConv3x3(await decoderRanges(engine, cache, open), levels)
      return { graph: decoderGraph(engine.model, { conv3x3 }), kind: INT8_DECODER }
    }
  }
}

/** That of a model's graphs on a CPU: the one asked for, else the manifest's, else fp32. */
export const graphPrecision = async (model: OpenModel, asked: Precision | null): Promise<GraphPrecision> =>
  (asked ?? model.manifest.precision) === 'int8' ? int8() : fp32(model)
