import type { Logger } from 'pino'
import { isModelUrl } from './bucket/model-url.ts'
import type { BucketConfig, Config } from './config.ts'
import { ModelError } from './errors.ts'
import type { FamilyTable, ServedModel } from './families/family.ts'
import { openServedModel } from './families/open-served-model.ts'

/** How often folders of the cache are marked as used: much more often than the unused are removed. */
const TOUCH_MS = 6 * 3_600_000

/** Opens what `MODELS` names, verified. */
export interface ModelSource {
  /** @throws ModelError and ConfigError for what the operator must see to. */
  open(named: string): Promise<ServedModel>
  close(): void
}

const openVerified = async (folder: string, families: FamilyTable): Promise<ServedModel> => {
  const model = await openServedModel(folder, families)
  await model.verifyHashes()
  return model
}

/** Where a model is in a bucket; others are spared the S3 client. */
const openBuckets = async ({ cache, access }: BucketConfig, families: FamilyTable, log: Logger) => {
  const { fetchModel, touch } = await import('./bucket/fetch-model.ts')
  const { removeDamaged } = await import('./bucket/remove-damaged.ts')
  const { sweepCache } = await import('./bucket/sweep-cache.ts')
  const options = { access, cache, log }
  const folders = new Set<string>()
  const fetch = async (url: string) => {
    const folder = await fetchModel(url, options)
    folders.add(folder)
    return folder
  }
  const removed = await sweepCache(cache)
  if (removed.length > 0) log.info({ removed }, 'removed from MODELS_CACHE_DIR what nobody has used for a week')
  const touchAll = () => {
    for (const folder of folders)
      touch(folder).catch((error: unknown) => log.warn({ err: error, folder }, 'a model folder could not be marked as used'))
  }
  const timer = setInterval(touchAll, TOUCH_MS)
  timer.unref()
  const open = async (url: string): Promise<ServedModel> => {
    const folder = await fetch(url)
    try {
      return await openVerified(folder, families)
    } catch (error) {
      // What was verified when it was fetched may have been damaged since; the same again is wrong in the bucket.
      if (!(error instanceof ModelError) || !(await removeDamaged(folder, cache))) throw error
      log.warn({ err: error, model: url }, 'the cached files of a model were damaged, and are fetched again')
      return openVerified(await fetch(url), families)
    }
  }
  return { open, close: () => clearInterval(timer) }
}

/** Fetches nothing yet. */
export const openModelSource = async (
  { modelBuckets }: Pick<Config, 'modelBuckets'>,
  families: FamilyTable,
  log: Logger
): Promise<ModelSource> => {
  const buckets = modelBuckets && (await openBuckets(modelBuckets, families, log))
  return {
    open: (named) => (buckets && isModelUrl(named) ? buckets.open(named) : openVerified(named, families)),
    close: () => buckets?.close()
  }
}
