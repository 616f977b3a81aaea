import { availableParallelism } from 'node:os'
import { ModelError } from '../../errors.ts'
import type { Precision } from '../../sampler/sampler-form.ts'
import type { OpenModel } from './model/open-model.ts'
import { createEngine } from './sampler/engine.ts'
import { sampleBatch, type ScaleReport } from './sampler/sample-batch.ts'

export interface SmokeRun {
  loadMs: number
  /** The whole image, decoding included. */
  imageMs: number
}

const DAMAGED = 'so the weights are damaged: fetch or export them again'

/** What is wrong with the logits of one token, if anything. */
const complaintAbout = (logits: Float32Array): string | undefined => {
  const [first] = logits
  if (!logits.every(Number.isFinite)) return 'its logits are NaN or infinite'
  if (logits.length > 1 && logits.every((value) => value === first)) return 'its logits are all the same'
  return undefined
}

/** @throws ModelError for logits that no weights that were learnt give. */
const refuseLogits = ({ folder, shape }: OpenModel, { scale, logits }: ScaleReport): void => {
  const { vocabulary } = shape.tokenizer
  for (const values of logits.values()) {
    for (let at = 0; at < values.length; at += vocabulary) {
      const complaint = complaintAbout(values.subarray(at, at + vocabulary))
      if (complaint)
        throw new ModelError(`${folder}: at scale ${scale} the transformer cannot tell tokens apart (${complaint}), ${DAMAGED}.`)
    }
  }
}

/** @throws ModelError for a picture that a damaged tokenizer decodes. */
const refusePixels = ({ folder }: OpenModel, pixels: Uint8Array): void => {
  if (pixels.every((value, index) => value === pixels[index % 3]))
    throw new ModelError(`${folder}: the image is of a single colour, ${DAMAGED}.`)
}

const run = async (model: OpenModel, precision: Precision | null): Promise<SmokeRun> => {
  const { cfg, top_k: topK, top_p: topP } = model.manifest.defaults
  const label = model.shape.transformer.classes > 0 ? 0 : null
  const begun = performance.now()
  const engine = await createEngine(model, { threads: availableParallelism(), precision, cache: null })
  try {
    const loaded = performance.now()
    const afterScale = async (report: ScaleReport) => {
      refuseLogits(model, report)
      return new Set<number>()
    }
    const request = { seed: 0, label, cfg, topK, topP, smooth: false, schedule: null }
    const { images } = await sampleBatch(engine, [request], { afterScale, wantLogits: true })
    refusePixels(model, images[0]?.pixels ?? new Uint8Array())
    return { loadMs: loaded - begun, imageMs: performance.now() - loaded }
  } finally {
    await engine.release()
  }
}

/**
 * Loads a model and samples one image of its first class with its own defaults.
 * @throws ModelError when the runtime cannot compute it, or what comes out cannot come from sound weights.
 */
export const smokeRun = (model: OpenModel, precision: Precision | null): Promise<SmokeRun> =>
  run(model, precision).catch((error: unknown) => {
    if (error instanceof ModelError) throw error
    throw new ModelError(
      `${model.folder}: the runtime cannot compute the model (${error instanceof Error ? error.message : String(error)}).`
    )
  })
