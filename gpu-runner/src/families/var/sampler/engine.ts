import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts, int8Products } from '../graphs/products.ts'
import { QUANTIZED_SESSION_CONFIG, quantizedConv3x3 } from '../graphs/quantized-conv.ts'
import { stepGraph } from '../graphs/step.ts'
import type { StepOptions } from '../../../sampler/sampler-form.ts'
import { type OpenModel, weightsIdentity } from '../model/open-model.ts'
import { briefSession, type Runnable } from '../../../sampler/brief-session.ts'
import { decoderRanges } from './decoder-ranges.ts'
import { int8Levels } from './int8-levels.ts'
import { type ScalePlan, scalePlans } from './scale-plan.ts'
import { openCached } from '../../../sampler/session-cache.ts'
import { cpuSession, type SessionKind } from '../../../sampler/session-options.ts'
import { CONDITION, DECODER, STEP } from './session-kinds.ts'

/** The sessions of one model. */
export interface Engine {
  model: OpenModel
  condition: Runnable
  step: InferenceSession
  decoder: InferenceSession
  /** What the step graph is fed for each scale, whatever the batch. */
  plans: readonly ScalePlan[]
  release(): Promise<void>
}

/** Opens sessions and releases them all, the last one first. */
const sessionKeeper = () => {
  const sessions: InferenceSession[] = []
  return {
    keep: async (opening: Promise<InferenceSession>): Promise<InferenceSession> => {
      const session = await opening
      sessions.push(session)
      return session
    },
    release: async (): Promise<void> => {
      for (const session of sessions.splice(0).reverse()) await session.release()
    }
  }
}

const QUANTIZED_DECODER: SessionKind = { config: QUANTIZED_SESSION_CONFIG }

/** AdaLN is used once per image. From this size on, fp32 spares its memory for the milliseconds of opening it for each batch. */
const MAX_KEPT_CONDITION_BYTES = 64 * 2 ** 20
const BYTES_PER_VALUE = 4
const isAdaln = (name: string) => name.includes('ada_lin')

/** Opened once in any case, so that weights that cannot be used stop the start. */
const openCondition = async (
  isKept: boolean,
  open: () => Promise<InferenceSession>,
  keep: (opening: Promise<InferenceSession>) => Promise<InferenceSession>
): Promise<Runnable> => {
  if (isKept) return keep(open())
  const session = await open()
  await session.release()
  return briefSession(open)
}

/**
 * Builds a model's graphs and loads them. Building holds every tensor against the shape the graph needs.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const createEngine = async (model: OpenModel, { threads, precision, cache }: StepOptions): Promise<Engine> => {
  const levels = (precision ?? model.manifest.precision) === 'int8' ? await int8Levels() : null
  const fresh = (graph: Uint8Array, kind?: SessionKind) => InferenceSession.create(graph, cpuSession(model.folder, threads, kind))
  const open = (name: string, graph: Uint8Array, kind?: SessionKind): Promise<InferenceSession> => {
    if (cache === null) return fresh(graph, kind)
    const options = cpuSession(model.folder, threads, kind)
    return openCached(cache, `${model.manifest.id}-${name}`, { graph, identity: weightsIdentity(model), options })
  }
  const { keep, release } = sessionKeeper()
  try {
    // As large as half the blocks: left in the checkpoint, unpacked.
    const conditionBytes = conditionGraph(model)
    // int8 is chosen for its speed, and keeps what costs it some.
    const isKept = levels !== null || model.transformer.parameters(isAdaln) * BYTES_PER_VALUE <= MAX_KEPT_CONDITION_BYTES
    const condition = await openCondition(isKept, () => fresh(conditionBytes, CONDITION), keep)
    const step = await keep(
      levels === null ? open('step', stepGraph(model, floatProducts), STEP) : open('step', stepGraph(model, int8Products(levels)))
    )
    const engine = { model, condition, step, plans: scalePlans(model.shape), release }
    if (levels === null) return { ...engine, decoder: await keep(open('decoder', decoderGraph(model), DECODER)) }
    const conv3x3 = quantizedConv3x3(await decoderRanges(engine, cache, fresh), levels)
    return { ...engine, decoder: await keep(open('decoder', decoderGraph(model, { conv3x3 }), QUANTIZED_DECODER)) }
  } catch (error) {
    await release()
    throw error
  }
}
