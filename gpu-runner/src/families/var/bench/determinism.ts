import { createHash } from 'node:crypto'
import type { OpenModel } from '../model/open-model.ts'
import type { Engine } from '../sampler/engine.ts'
import type { ImageRequest } from '../sampler/image-request.ts'
import { philox } from '../../../sampler/philox.ts'
import { sampleBatch } from '../sampler/sample-batch.ts'
import type { Precision } from '../../../sampler/sampler-form.ts'
import { openEngine } from './open-engine.ts'
import { formatReport } from './report.ts'

const [LEAST_BATCH, MOST_BATCH] = [2, 16]
const THREADS = [1, 2]

interface Determinism {
  model: OpenModel
  precisions: readonly Precision[]
  images: number
  cache: string | null
  signal: AbortSignal
  say: (line: string) => void
}

/** Numbers of a sequence in [0, below), the same in every run. */
const random = (seed: number) => {
  let drawn = 0
  return (below: number): number => philox([drawn++, 0, 0, 0], [seed, 0])[0] % below
}

/** Requests as mixed as clients send them: guided and not, with and without a class, greedy and free. */
const mixedRequests = ({ model, images }: Determinism): ImageRequest[] => {
  const next = random(1)
  const { classes } = model.shape.transformer
  const { vocabulary } = model.shape.tokenizer
  return Array.from({ length: images }, (_, seed) => ({
    seed,
    label: classes === 0 || next(8) === 0 ? null : next(classes),
    cfg: [0, 1.5, 3, 7.5][next(4)] ?? 0,
    topK: [0, 1, Math.min(200, vocabulary), Math.min(900, vocabulary)][next(4)] ?? 0,
    topP: [0.5, 0.95, 0.96, 1][next(4)] ?? 1,
    smooth: next(8) === 0,
    schedule: null
  }))
}

/** The images in an order and in batches that the seed decides. */
const shuffledBatches = (images: number, seed: number): number[][] => {
  const next = random(seed)
  const order = Array.from({ length: images }, (_, image) => image)
  for (let last = images - 1; last > 0; last--) {
    const other = next(last + 1)
    ;[order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0]
  }
  const batches: number[][] = []
  while (order.length > 0) batches.push(order.splice(0, LEAST_BATCH + next(MOST_BATCH - LEAST_BATCH + 1)))
  return batches
}

interface Sampling {
  engine: Engine
  requests: readonly ImageRequest[]
  signal: AbortSignal
}

/** Hash of the pixels of every image, sampled in these batches. */
const hashes = async ({ engine, requests, signal }: Sampling, batches: readonly number[][]): Promise<Map<number, string>> => {
  const found = new Map<number, string>()
  for (const batch of batches) {
    signal.throwIfAborted()
    const { images } = await sampleBatch(
      engine,
      batch.flatMap((image) => requests[image] ?? [])
    )
    for (const { index, pixels } of images) found.set(batch[index] ?? -1, createHash('sha256').update(pixels).digest('hex'))
  }
  return found
}

const alike = (found: ReadonlyMap<number, string>, wanted: ReadonlyMap<number, string>): number =>
  [...wanted].filter(([image, hash]) => found.get(image) === hash).length

const measurePrecision = async (options: Determinism, precision: Precision) => {
  const { model, images, cache, signal } = options
  const requests = mixedRequests(options)
  const alone = requests.map((_, image) => [image])
  let wanted: Map<number, string> | undefined
  const rows: Record<string, string>[] = []
  for (const threads of THREADS) {
    const engine = await openEngine(model, { threads, precision, cache })
    try {
      const sampling = { engine, requests, signal }
      const single = await hashes(sampling, alone)
      wanted ??= single
      const batched = await hashes(sampling, shuffledBatches(images, threads + 1))
      const row = (how: string, found: ReadonlyMap<number, string>, reference: ReadonlyMap<number, string>) => {
        rows.push({ precision, threads: String(threads), sampled: how, identical: `${alike(found, reference)} of ${images}` })
      }
      if (single !== wanted) row('alone', single, wanted)
      row(`in batches of ${LEAST_BATCH} to ${MOST_BATCH}, shuffled`, batched, wanted)
    } finally {
      await engine.release()
    }
  }
  return rows
}

/** Counts the images whose pixels are to the byte those of the same image sampled alone with one thread. */
export const benchDeterminism = async (options: Determinism): Promise<void> => {
  const rows: Record<string, string>[] = []
  for (const precision of options.precisions) rows.push(...(await measurePrecision(options, precision)))
  options.say(formatReport(`${options.model.manifest.name}: images identical to the same alone with 1 thread`, rows))
}
