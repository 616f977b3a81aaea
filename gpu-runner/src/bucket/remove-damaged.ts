import { readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { hashFile } from '../model/hash-file.ts'
import { type HashedFile, listedFiles, MANIFEST_FILE, readManifestFile } from '../model/manifest-file.ts'
import { digest, openCacheFolder } from './cache-folder.ts'
import { cachedPath } from './fetch-file.ts'

const hasContent = async (path: string, sha256: string): Promise<boolean> =>
  (await hashFile(path).catch(() => undefined)) === sha256

/** Undefined where the manifest itself is not the one that was fetched. */
const listedIn = async (folder: string): Promise<HashedFile[] | undefined> => {
  const manifest = await readFile(join(folder, MANIFEST_FILE)).catch(() => '')
  return digest(manifest) === basename(folder) ? listedFiles(await readManifestFile(folder)) : undefined
}

/** Removes from the cache what is damaged of a model's files. Says whether anything was: the model is then to be fetched again. */
export const removeDamaged = async (folder: string, root: string): Promise<boolean> => {
  const cache = await openCacheFolder(root)
  const listed = await listedIn(folder)
  let isDamaged = listed === undefined
  for (const file of listed ?? []) {
    if (await hasContent(join(folder, file.path), file.sha256)) continue
    isDamaged = true
    await rm(cachedPath(cache, file), { force: true })
  }
  if (isDamaged) await rm(folder, { recursive: true, force: true })
  return isDamaged
}
