import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '@nextscale/platform/config'
import { isErrno } from '@nextscale/platform/errno'

/**
 * Where model folders from buckets are kept, for all runners of a machine. Nothing in it is changed once it is in its place: files and
 * folders are made elsewhere and renamed, so runners need not know of each other.
 */
export interface CacheFolder {
  readonly root: string
  /** Model folders, by the sha256 of their manifests. Their files are hard links to `files`. */
  readonly models: string
  /** Whole and verified files, by their sha256. */
  readonly files: string
  /** Files on their way. */
  readonly parts: string
  /** Which manifest an address had when it was last read. */
  readonly names: string
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

/** Name of a file for any text. */
export const digest = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Does what writes into the cache folder; what the operator must see to is told with the setting that names it. */
export const guardDisk = async <T>(root: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EDQUOT'))
      throw new ConfigError(`MODELS_CACHE_DIR=${root} is full: make room there, or set it to a directory that has more.`)
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'))
      throw new ConfigError(
        `MODELS_CACHE_DIR=${root} cannot be used (${error instanceof Error ? error.message : ''}): set it to a directory that can be written to.`
      )
    throw error
  }
}

/** @throws ConfigError when it cannot be written to. */
export const openCacheFolder = (root: string): Promise<CacheFolder> =>
  guardDisk(root, async () => {
    const [models, files, parts, names] = ['models', 'files', 'parts', 'names'].map((name) => join(root, name)) as [
      string,
      string,
      string,
      string
    ]
    for (const folder of [models, files, parts, names]) await mkdir(folder, { recursive: true })
    return { root, models, files, parts, names }
  })

/** Puts a small file in its place as a whole. */
export const replaceFile = async (path: string, content: string): Promise<void> => {
  const temporary = `${path}.${randomUUID()}`
  await writeFile(temporary, content)
  await rename(temporary, path)
}
