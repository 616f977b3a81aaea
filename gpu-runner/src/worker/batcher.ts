import type { BatchResult, RunningBatch, Sampler } from '../sampler/sampler.ts'
import type { ImageRequest } from '../sampler/image-request.ts'
import { JobError } from '../errors.ts'

export interface BatchedImage {
  /** RGB, row-major. */
  pixels: Uint8Array
  scaleMs: number[]
  decodeMs: number
  batchSize: number
}

export interface ImageTicket {
  model: string
  request: ImageRequest
  /** Aborting takes the image out, from the queue at once and from a running batch after its scale. */
  signal: AbortSignal
  onStart: () => void
  onScale: (scale: number) => void
}

export interface Batcher {
  submit(ticket: ImageTicket): Promise<BatchedImage>
  /** Images not yet handed to the sampler. */
  waiting(): number
}

interface Entry extends ImageTicket {
  resolve: (image: BatchedImage) => void
  reject: (reason: unknown) => void
}

/** The oldest image’s model and all of that model that fit into one batch, oldest first. */
const takeBatch = (queue: Entry[], limit: number): Entry[] => {
  const model = queue[0]?.model
  const taken = queue.filter((entry) => entry.model === model).slice(0, limit)
  for (const entry of taken) queue.splice(queue.indexOf(entry), 1)
  return taken
}

const settle = (entries: readonly Entry[], { images, scaleMs, decodeMs }: BatchResult): void => {
  const byIndex = new Map(images.map(({ index, pixels }) => [index, pixels]))
  entries.forEach((entry, index) => {
    const pixels = byIndex.get(index)
    if (pixels) entry.resolve({ pixels, scaleMs, decodeMs, batchSize: entries.length })
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
 * Gathers images of all jobs into batches for the sampler, one batch at a time. An idle sampler starts at once; while
 * it works, what arrives waits for the next batch.
 */
export const createBatcher = (sampler: Sampler, maxBatch: number): Batcher => {
  const queue: Entry[] = []
  let isBusy = false

  const run = async (wanted: readonly Entry[]): Promise<void> => {
    const entries = wanted.filter(({ signal }) => !signal.aborted)
    if (entries.length === 0) return
    for (const entry of entries) entry.onStart()
    const running: RunningBatch = sampler.sample({
      model: entries[0]?.model ?? '',
      images: entries.map(({ request }) => request),
      onScale: (scale) => entries.forEach((entry) => entry.signal.aborted || entry.onScale(scale))
    })
    const stopListening = letLeave(entries, running)
    try {
      settle(entries, await running.result)
    } catch (error) {
      await retryOrReject(entries, error)
    } finally {
      stopListening()
    }
  }

  /** A batch fails as a whole, by one image or by its size: halves find out which, and the others get their pictures. */
  const retryOrReject = async (entries: readonly Entry[], error: unknown): Promise<void> => {
    if (entries.length === 1) return entries[0]?.reject(error)
    const middle = Math.ceil(entries.length / 2)
    await run(entries.slice(0, middle))
    await run(entries.slice(middle))
  }

  const pump = async (): Promise<void> => {
    if (isBusy) return
    isBusy = true
    while (queue.length > 0) await run(takeBatch(queue, maxBatch))
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
        reject(ticket.signal.reason)
      }
      ticket.signal.addEventListener('abort', leaveQueue, { once: true })
      queue.push(entry)
      // After this turn, so that the images of one job, and of jobs fetched together, share a batch.
      setImmediate(() => void pump())
    })
  }

  return { submit, waiting: () => queue.length }
}
