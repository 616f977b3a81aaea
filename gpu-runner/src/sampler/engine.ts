import { InferenceSession } from 'onnxruntime-node'
import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { floatProducts } from '../graphs/products.ts'
import { stepGraph } from '../graphs/step.ts'
import type { OpenModel } from '../model/open-model.ts'
import { type ScalePlan, scalePlans } from './scale-plan.ts'

export interface EngineOptions {
  /** Threads that share one operator. */
  threads: number
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

/**
 * Builds a model's graphs and loads them. Building holds every tensor against the shape the graph needs.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const createEngine = async (model: OpenModel, { threads }: EngineOptions): Promise<Engine> => {
  const graphs = [conditionGraph(model), stepGraph(model, floatProducts), decoderGraph(model)] as const
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: {
      session: {
        // Threads that spin between operators would take the cores from the process that renews locks and uploads.
        intra_op: { allow_spinning: '0' },
        // The graphs are bytes, so the runtime must be told where the files they point at lie.
        model_external_initializers_file_folder_path: model.folder
      }
    }
  }
  const sessions: InferenceSession[] = []
  const release = async () => {
    for (const session of sessions.splice(0).reverse()) await session.release()
  }
  try {
    for (const graph of graphs) sessions.push(await InferenceSession.create(graph, options))
    const [condition, step, decoder] = sessions as [InferenceSession, InferenceSession, InferenceSession]
    return { model, condition, step, decoder, plans: scalePlans(model.shape), release }
  } catch (error) {
    await release()
    throw error
  }
}
