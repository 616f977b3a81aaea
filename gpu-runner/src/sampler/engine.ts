import { InferenceSession } from 'onnxruntime-node'
import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts, int8Products } from '../graphs/products.ts'
import { QUANTIZED_SESSION_CONFIG, quantizedConv3x3 } from '../graphs/quantized-conv.ts'
import { stepGraph } from '../graphs/step.ts'
import type { Precision } from '../model/manifest.ts'
import { type OpenModel, weightsIdentity } from '../model/open-model.ts'
import { decoderRanges } from './decoder-ranges.ts'
import { int8Levels } from './int8-levels.ts'
import { type ScalePlan, scalePlans } from './scale-plan.ts'
import { openCached } from './session-cache.ts'

export interface EngineOptions {
  /** Threads that share one operator. */
  threads: number
  /** `null` takes what the model's manifest says. */
  precision: Precision | null
  /** Folder for optimised graphs and packed weights; without one they are made anew at every start. */
  cache: string | null
}

/** The sessions of one model. */
export interface Engine {
  model: OpenModel
  condition: InferenceSession
  step: InferenceSession
  decoder: InferenceSession
  /** What the step graph is fed for each scale, whatever the batch. */
  plans: readonly ScalePlan[]
  release(): Promise<void>
}

const sessionOptions = (
  model: OpenModel,
  threads: number,
  more: Record<string, string> = {}
): InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  extra: {
    session: {
      // Threads that spin between operators would take the cores from the process that renews locks and uploads.
      intra_op: { allow_spinning: '0' },
      // The graphs are bytes, so the runtime must be told where the files they point at lie.
      model_external_initializers_file_folder_path: model.folder,
      ...more
    }
  }
})

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

/**
 * Builds a model's graphs and loads them. Building holds every tensor against the shape the graph needs.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const createEngine = async (model: OpenModel, { threads, precision, cache }: EngineOptions): Promise<Engine> => {
  const levels = (precision ?? model.manifest.precision) === 'int8' ? await int8Levels() : null
  const fresh = (graph: Uint8Array, more?: Record<string, string>) =>
    InferenceSession.create(graph, sessionOptions(model, threads, more))
  const open = (name: string, graph: Uint8Array, more?: Record<string, string>): Promise<InferenceSession> => {
    if (cache === null) return fresh(graph, more)
    const options = sessionOptions(model, threads, more)
    return openCached(cache, `${model.manifest.id}-${name}`, { graph, identity: weightsIdentity(model), options })
  }
  const { keep, release } = sessionKeeper()
  try {
    // Used once per image and as large as half the blocks: left in the checkpoint, unpacked.
    const condition = await keep(fresh(conditionGraph(model), { disable_prepacking: '1' }))
    const step = await keep(open('step', stepGraph(model, levels === null ? floatProducts : int8Products(levels))))
    const engine = { model, condition, step, plans: scalePlans(model.shape), release }
    if (levels === null) return { ...engine, decoder: await keep(open('decoder', decoderGraph(model))) }
    const conv3x3 = quantizedConv3x3(await decoderRanges(engine, cache, fresh), levels)
    return { ...engine, decoder: await keep(open('decoder', decoderGraph(model, { conv3x3 }), QUANTIZED_SESSION_CONFIG)) }
  } catch (error) {
    await release()
    throw error
  }
}
