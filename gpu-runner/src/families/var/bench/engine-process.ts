/** Samples one batch for every line of its input and answers with the times. A process of its own, so that memory is its own. */
import { openModel } from '../model/open-model.ts'
import type { ImageRequest } from '../sampler/image-request.ts'
import { sampleBatch } from '../sampler/sample-batch.ts'
import { answerLines } from './answer-lines.ts'
import { openEngine } from './open-engine.ts'
import { EngineTask, parseLine, type Round } from './replies.ts'

const { folder, batch, ...options } = parseLine(EngineTask, process.argv[2] ?? '')
const begun = performance.now()
const model = await openModel(folder)
const engine = await openEngine(model, options)
const ready = { load_ms: performance.now() - begun }

const { cfg, top_k: topK, top_p: topP } = model.manifest.defaults
const { classes } = model.shape.transformer
let seed = 0

const request = (image: number): ImageRequest => ({
  seed: seed++,
  label: classes > 0 ? image % classes : null,
  cfg,
  topK,
  topP,
  smooth: false,
  schedule: null
})

const runRound = async (): Promise<Round> => {
  const requests = Array.from({ length: batch }, (_, image) => request(image))
  const started = performance.now()
  const { scaleMs, decodeMs } = await sampleBatch(engine, requests)
  return { scale_ms: scaleMs, decode_ms: decodeMs, total_ms: performance.now() - started }
}

await answerLines(ready, runRound)
await engine.release()
