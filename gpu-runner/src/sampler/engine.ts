import { InferenceSession } from 'onnxruntime-node'
import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts, int8Products } from '../graphs/products.ts'
import { stepGraph } from '../graphs/step.ts'
import type { Precision } from '../model/manifest.ts'
import { type OpenModel, weightsIdentity } from '../model/open-model.ts'
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

/**
 * Builds a model's graphs and loads them. Building holds every tensor against the shape the graph needs.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const createEngine = async (model: OpenModel, { threads, precision, cache }: EngineOptions): Promise<Engine> => {
  const chosen = precision ?? model.manifest.precision ?? 'fp32'
  const multiply = chosen === 'int8' ? int8Products(await int8Levels()) : floatProducts
  const identity = weightsIdentity(model)
  const open = (name: string, graph: Uint8Array): Promise<InferenceSession> => {
    const options = sessionOptions(model, threads)
    if (cache === null) return InferenceSession.create(graph, options)
    return openCached(cache, `${model.manifest.id}-${name}`, { graph, identity, options })
  }
  const sessions: InferenceSession[] = []
  const keep = async (opening: Promise<InferenceSession>): Promise<InferenceSession> => {
    const session = await opening
    sessions.push(session)
    return session
  }
  const release = async () => {
    for (const session of sessions.splice(0).reverse()) await session.release()
  }
  try {
    // Used once per image and as large as half a block: left in the checkpoint, unpacked.
    const unpacked = sessionOptions(model, threads, { disable_prepacking: '1' })
    const condition = await keep(InferenceSession.create(conditionGraph(model), unpacked))
    const step = await keep(open('step', stepGraph(model, multiply)))
    const decoder = await keep(open('decoder', decoderGraph(model)))
    return { model, condition, step, decoder, plans: scalePlans(model.shape), release }
  } catch (error) {
    await release()
    throw error
  }
}
