import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { conditionGraph } from '../graphs/condition.ts'
import { stepGraph } from '../graphs/step.ts'
import type { StepOptions } from '../../../sampler/sampler-form.ts'
import { type OpenModel, weightsIdentity } from '../model/open-model.ts'
import { briefSession, type Runnable } from '../../../sampler/brief-session.ts'
import { graphPrecision } from './graph-precision.ts'
import { type ScalePlan, scalePlans } from './scale-plan.ts'
import { openCached } from '../../../sampler/session-cache.ts'
import { cpuSession, type SessionKind } from '../../../sampler/session-options.ts'
import { CONDITION } from './session-kinds.ts'

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
export const createEngine = async (model: OpenModel, { threads, precision: asked, cache }: StepOptions): Promise<Engine> => {
  const precision = await graphPrecision(model, asked)
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
    const condition = await openCondition(precision.keepsCondition, () => fresh(conditionBytes, CONDITION), keep)
    const step = await keep(open('step', stepGraph(model, precision.multiply), precision.step))
    const engine = { model, condition, step, plans: scalePlans(model.shape), release }
    const { graph, kind } = await precision.decoder(engine, cache, fresh)
    return { ...engine, decoder: await keep(open('decoder', graph, kind)) }
  } catch (error) {
    await release()
    throw error
  }
}
