import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openCacheFolder } from './cache-folder.ts'

/** A runner tells of the folders it uses more often than this. */
const UNUSED_MS = 7 * 86_400_000

const entries = async (folder: string) =>
  Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name)
      return { path, found: await stat(path).catch(() => undefined) }
    })
  )

/**
 * Removes from a cache folder what no runner has used for a week: model folders, then files that no other folder shares, and what was never
 * fetched to its end. What another runner removes meanwhile is gone as well.
 */
export const sweepCache = async (root: string, now = Date.now()): Promise<string[]> => {
  const { models, files, parts, names } = await openCacheFolder(root)
  const removed: string[] = []
  for (const folder of [models, parts, names, files]) {
    for (const { path, found } of await entries(folder)) {
      if (!found || now - found.mtimeMs < UNUSED_MS) continue
      // A file that is linked from a model folder has two names.
      if (folder === files && found.nlink > 1) continue
      await rm(path, { recursive: true, force: true })
      removed.push(path)
    }
  }
  return removed
}
