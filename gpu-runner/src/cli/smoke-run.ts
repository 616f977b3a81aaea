import { availableParallelism } from 'node:os'
import type { Precision } from '../model/manifest.ts'
import type { OpenModel } from '../model/open-model.ts'
import { createEngine } from '../sampler/engine.ts'
import { sampleBatch } from '../sampler/sample-batch.ts'

export interface SmokeRun {
  loadMs: number
  /** The whole image, decoding included. */
  imageMs: number
  /** RGB, resolution x resolution x 3. */
  pixels: Uint8Array
}

/** Loads a model and samples one image of its first class with its own defaults. */
export const smokeRun = async (model: OpenModel, precision: Precision | null, signal: AbortSignal): Promise<SmokeRun> => {
  const { cfg, top_k: topK, top_p: topP } = model.manifest.defaults
  const label = model.shape.transformer.classes > 0 ? 0 : null
  const begun = performance.now()
  const engine = await createEngine(model, { threads: availableParallelism(), precision, cache: null })
  try {
    const loaded = performance.now()
    const afterScale = async () => {
      signal.throwIfAborted()
      return new Set<number>()
    }
    const { images } = await sampleBatch(engine, [{ seed: 0, label, cfg, topK, topP, smooth: false, schedule: null }], {
      afterScale
    })
    const pixels = images[0]?.pixels ?? new Uint8Array()
    return { loadMs: loaded - begun, imageMs: performance.now() - loaded, pixels }
  } finally {
    await engine.release()
  }
}
