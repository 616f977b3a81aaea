import { keyOf, type ModelRef } from '../model/model-ref.ts'
import type { SampledImage, SampledPreview, SampleResult } from '../families/open-sampler.ts'
import type { RunningBatch } from '../sampler/sampler.ts'
import { JobError } from '../errors.ts'
import type { BatchSampler } from '../observe/observe-sampler.ts'
import { type Clock, createBatchWindow, systemClock } from './batch-window.ts'

/** A picture, and what its whole batch took. */
export interface BatchedImage extends Omit<SampledImage, 'index'>, Pick<SampleResult, 'scaleMs' | 'decodeMs'> {
  batchSize: number
}

export interface ImageTicket {
  model: ModelRef
  /** As the model's family asks for it. */
  request: object
  /** Aborting takes the image out, from the queue at once and from a running batch after its scale. */
  signal: AbortSignal
  /** Its model is being loaded, for it among others. */
  onLoading?: () => void
  onStart: () => void
  onScale: (scale: number) => void
  onPreview?: (preview: SampledPreview) => void
  /** Shares its batch with no other image. */
  isAlone?: boolean
}

export interface Batcher {
  submit(ticket: ImageTicket): Promise<BatchedImage>
  /** Images not yet handed to the sampler. */
  waiting(): number
}

export interface BatcherOptions {
  maxBatch: number
  /** How long after a batch the next one may gather; 0 = not at all. */
  windowMs: number
  clock?: Clock
  /** Whether images of that model may be made before older ones of a model that is not in memory; by default any may. */
  isReady?: (model: ModelRef) => boolean
}

interface Entry extends ImageTicket {
  resolve: (image: BatchedImage) => void
  reject: (reason: unknown) => void
}

/** The oldest image whose model is ready, or the oldest; and of its model all that fit into one batch with it, oldest first. */
const nextBatch = (queue: readonly Entry[], limit: number, isReady: (model: ModelRef) => boolean): Entry[] => {
  const first = queue.find(({ model }) => isReady(model)) ?? queue[0]
  if (!first || first.isAlone) return first ? [first] : []
  const key = keyOf(first.model)
  return queue.filter((entry) => !entry.isAlone && keyOf(entry.model) === key).slice(0, limit)
}

const takeBatch = (queue: Entry[], ...how: [limit: number, isReady: (model: ModelRef) => boolean]): Entry[] => {
  const taken = nextBatch(queue, ...how)
  for (const entry of taken) queue.splice(queue.indexOf(entry), 1)
  return taken
}

const withoutIndex = ({ pixels, width, height, tokens }: SampledImage) => ({ pixels, width, height, tokens })

const resolveEntries = (entries: readonly Entry[], { images, scaleMs, decodeMs }: SampleResult): void => {
  const byIndex = new Map(images.map((image) => [image.index, image]))
  entries.forEach((entry, index) => {
    const image = byIndex.get(index)
    if (image) entry.resolve({ ...withoutIndex(image), scaleMs, decodeMs, batchSize: entries.length })
    else entry.reject(entry.signal.reason ?? new JobError('sampler_failed', 'The sampler returned no picture.'))
  })
}

/** Lets images whose signal aborts leave a running batch. Returns the way to stop listening. */
const letLeave = (entries: readonly Entry[], running: RunningBatch): (() => void) => {
  const stops = entries.map((entry, index) => {
    const listener = () => {
      running.drop([index])
      entry.reject(entry.signal.reason)
    }
    entry.signal.addEventListener('abort', listener, { once: true })
    return () => entry.signal.removeEventListener('abort', listener)
  })
  return () => stops.forEach((stop) => stop())
}

/**
 * Has the sampler make a batch, and settles its entries. A batch fails as a whole, by one image or by its size: halves
 * find out which, and the others get their pictures. `ended` is told before anybody hears of the result.
 */
const runBatch = async (sampler: BatchSampler, wanted: readonly Entry[], ended: () => void): Promise<void> => {
  const entries = wanted.filter(({ signal }) => !signal.aborted)
  const [first] = entries
  if (!first) return
  const running: RunningBatch = sampler.sample({
    model: first.model,
    images: entries.map(({ request }) => request),
    onLoading: () => entries.forEach((entry) => entry.signal.aborted || entry.onLoading?.()),
    onStart: () => entries.forEach((entry) => entry.signal.aborted || entry.onStart()),
    onScale: (scale) => entries.forEach((entry) => entry.signal.aborted || entry.onScale(scale)),
    onPreview: (preview) => {
      const entry = entries[preview.index]
      if (entry && !entry.signal.aborted) entry.onPreview?.(preview)
    }
  })
  const stopListening = letLeave(entries, running)
  try {
    resolveEntries(entries, await running.result.finally(ended))
  } catch (error) {
    // A model that cannot be loaded is no image's doing.
    const isOfAll = error instanceof JobError && error.code === 'model_load_failed'
    if (isOfAll || entries.length === 1) return entries.forEach((entry) => entry.reject(error))
    const middle = Math.ceil(entries.length / 2)
    await runBatch(sampler, entries.slice(0, middle), ended)
    await runBatch(sampler, entries.slice(middle), ended)
  } finally {
    stopListening()
  }
}

/**
 * Gathers images of all jobs into batches for the sampler, one batch at a time. While it works, what arrives waits for
 * the next batch. Right after a batch that one waits for the window, since clients whose pictures have just come back
 * ask again; it starts as soon as it is full. A sampler that has been idle for longer starts at once.
 */
export const createBatcher = (
  sampler: BatchSampler,
  { maxBatch, windowMs, clock = systemClock, isReady = () => true }: BatcherOptions
): Batcher => {
  const queue: Entry[] = []
  let isBusy = false
  const window = createBatchWindow(windowMs, clock)
  const isFullOrEmpty = () => queue.length === 0 || nextBatch(queue, maxBatch, isReady).length === maxBatch

  const pump = async (): Promise<void> => {
    if (isBusy) return
    isBusy = true
    while (queue.length > 0) {
      await window.closed(isFullOrEmpty)
      await runBatch(sampler, takeBatch(queue, maxBatch, isReady), () => window.open())
    }
    isBusy = false
  }

  const submit = (ticket: ImageTicket): Promise<BatchedImage> => {
    if (ticket.signal.aborted) return Promise.reject(ticket.signal.reason)
    return new Promise<BatchedImage>((resolve, reject) => {
      const entry: Entry = { ...ticket, resolve, reject }
      const leaveQueue = () => {
        const place = queue.indexOf(entry)
        if (place < 0) return
        queue.splice(place, 1)
        window.look()
        reject(ticket.signal.reason)
      }
      ticket.signal.addEventListener('abort', leaveQueue, { once: true })
      queue.push(entry)
      window.look()
      // After this turn, so that the images of one job, and of jobs fetched together, share a batch.
      setImmediate(() => void pump())
    })
  }

  return { submit, waiting: () => queue.length }
}
