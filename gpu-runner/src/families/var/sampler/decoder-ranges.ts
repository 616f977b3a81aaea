import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type InferenceSession, Tensor } from '../../../onnx/onnxruntime.ts'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { calibrationGraph } from '../graphs/calibration.ts'
import type { ConvRanges } from '../graphs/quantized-conv.ts'
import { weightsIdentity } from '../model/open-model.ts'
import { calibrate } from './calibrate.ts'
import type { Engine } from './engine.ts'
import { sampleBatch, type ScaleReport } from './sample-batch.ts'

/** Images that are decoded to learn the ranges: of classes spread evenly, always the same. */
const IMAGES = 16
/** Sampled together; more would need more memory than serving does. */
const BATCH = 2
const FIRST_SEED = 1_000

const range = Type.Tuple([Type.Number(), Type.Number()])
const Ranges = Compile(Type.Record(Type.String(), Type.Object({ input: range, output: range })))

/** Running sums fp32 [1, channels, side, side] of images of the model. */
const sampleSums = async (engine: Engine): Promise<Tensor[]> => {
  const { manifest, shape } = engine.model
  const { cfg, top_k: topK, top_p: topP } = manifest.defaults
  const { classes } = shape.transformer
  const requests = Array.from({ length: IMAGES }, (_, i) => {
    const label = classes === 0 ? null : Math.floor((i * classes) / IMAGES)
    return { seed: FIRST_SEED + i, label, cfg, topK, topP, smooth: false, schedule: null }
  })
  const dims = [1, shape.tokenizer.channels, shape.side, shape.side]
  const sums: Tensor[] = []
  const afterScale = async ({ scale, fHat }: ScaleReport): Promise<Set<number>> => {
    if (scale < shape.scales.length - 1) return new Set()
    sums.push(...[...fHat.values()].map((values) => new Tensor('float32', values, dims)))
    // Nobody wants these pictures.
    return new Set(fHat.keys())
  }
  for (let i = 0; i < IMAGES; i += BATCH) await sampleBatch(engine, requests.slice(i, i + BATCH), { afterScale })
  return sums
}

const readRanges = async (path: string): Promise<ConvRanges | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  try {
    const ranges: unknown = JSON.parse(text ?? '')
    return Ranges.Check(ranges) ? ranges : undefined
  } catch {
    return undefined
  }
}

const writeRanges = async (folder: string, path: string, ranges: ConvRanges): Promise<void> => {
  await mkdir(folder, { recursive: true })
  const temporary = `${path}.${randomUUID()}`
  await writeFile(temporary, JSON.stringify(ranges))
  await rename(temporary, path)
}

/**
 * Ranges of the decoder's convolutions, from the cache folder or learnt anew: some images are sampled and decoded in fp32.
 * `open` opens a session that is not kept.
 */
export const decoderRanges = async (
  engine: Omit<Engine, 'decoder'>,
  cache: string | null,
  open: (graph: Uint8Array) => Promise<InferenceSession>
): Promise<ConvRanges> => {
  const { graph, names } = calibrationGraph(engine.model)
  const hash = createHash('sha256').update(weightsIdentity(engine.model)).update(graph).digest('hex').slice(0, 32)
  const path = cache === null ? null : join(cache, `${engine.model.manifest.id}-ranges-${hash}.json`)
  const known = path === null ? undefined : await readRanges(path)
  if (known) return known
  const session = await open(graph)
  try {
    const ranges = await calibrate({ session, names }, await sampleSums({ ...engine, decoder: session }))
    if (cache !== null && path !== null) await writeRanges(cache, path, ranges)
    return ranges
  } finally {
    await session.release()
  }
}
