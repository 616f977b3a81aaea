import { previewKey, type StoredPreview } from '@nextscale/openapi'
import type { Logger } from 'pino'
import { encodePreview } from '../image/encode-preview.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import type { SampledPreview } from '../families/open-sampler.ts'
import type { Picture } from '../image/picture.ts'
import type { ProgressTracker } from './progress.ts'

/** Encodes and stores the previews of one attempt beside its sampling. */
export interface PreviewKeeper {
  /** Takes a preview of picture `index` of the generation. */
  take(index: number, preview: Omit<SampledPreview, 'index'>): void
  /** Takes no more, and waits until every preview is stored and reported, or left out. Says what they cost in all, null without any. */
  settled(): Promise<number | null>
}

interface KeeperOptions {
  id: string
  store: Pick<ObjectStore, 'put'>
  tracker: ProgressTracker
  signal: AbortSignal
  log: Logger
}

export const keepPreviews = ({ id, store, tracker, signal, log }: KeeperOptions): PreviewKeeper => {
  const taken = new Set<string>()
  /** Settles once every preview so far is stored and reported, or left out. */
  let before: Promise<void> | undefined
  let totalMs = 0
  let isClosed = false

  const storeOne = async (index: number, scale: number, picture: Picture): Promise<StoredPreview> => {
    const { bytes, contentType, width, height } = await encodePreview(picture)
    signal.throwIfAborted()
    const key = previewKey(id, index, scale)
    await store.put(key, { body: bytes, contentType }, signal)
    return { index, scale, key, content_type: contentType, width, height, bytes: bytes.length }
  }

  /** They are stored at once, and reported in the order they were drawn: coarse to fine. */
  const reportAfter = async (previous: Promise<void> | undefined, storing: Promise<StoredPreview | undefined>): Promise<void> => {
    const preview = await storing
    await previous
    if (preview !== undefined) tracker.preview(preview)
  }

  return {
    take: (index, { scale, decodeMs, ...picture }) => {
      const key = `${index}-${scale}`
      // A batch that failed is sampled again in halves, and draws the same.
      if (taken.has(key) || isClosed || signal.aborted) return
      taken.add(key)
      const begun = performance.now() - decodeMs
      const storing = storeOne(index, scale, picture)
        .catch((error: unknown): undefined => {
          if (!signal.aborted) log.warn({ err: error, generation: id, image: index, scale }, 'a preview was left out')
        })
        .finally(() => (totalMs += performance.now() - begun))
      before = reportAfter(before, storing)
    },
    settled: async () => {
      // When one image fails, the batch may go on with others: what it still brings would be waited for by nobody.
      isClosed = true
      if (before === undefined) return null
      await before
      await tracker.settled()
      return totalMs
    }
  }
}
