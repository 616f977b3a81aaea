import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bucket, openBucket } from '@nextscale/platform/bucket'
import { ConfigError, type S3Access } from '@nextscale/platform/config'
import { isErrno } from '@nextscale/platform/errno'
import { BucketRefused, NoSuchObject } from '@nextscale/platform/object-store'
import type { Logger } from 'pino'
import { placeFile } from '../checkpoint/place-file.ts'
import { ModelError } from '../errors.ts'
import { JsonError, parseJson } from '../checkpoint/parse-json.ts'
import { type HashedFile, listedFiles, MANIFEST_FILE, MAX_MANIFEST_BYTES } from '../model/manifest-file.ts'
import { formatBytes } from '../units.ts'
import { type CacheFolder, digest, exists, guardDisk, openCacheFolder, replaceFile } from './cache-folder.ts'
import { cachedPath, fetchFile, type RemoteFile } from './fetch-file.ts'
import { type ModelUrl, readModelUrl } from './model-url.ts'
import { reportProgress } from './report-progress.ts'
import { type Trouble, tryAgain } from './try-again.ts'

export interface FetchOptions {
  access: S3Access
  /** The folder in which models from buckets are kept. */
  cache: string
  log: Logger
}

interface Fetching {
  source: ModelUrl
  bucket: Bucket
  cache: CacheFolder
  log: Logger
}

const trouble =
  ({ source, log }: Fetching) =>
  ({ error, delayMs }: Trouble) =>
    log.warn({ err: error, model: source.url, again_in_ms: delayMs }, `${error.message} It is tried again`)

/** Keeps a folder or a file of the cache from being taken for one that nobody uses. */
export const touch = async (path: string): Promise<void> => {
  const now = new Date()
  await utimes(path, now, now)
}

const recordOf = ({ cache, source }: Fetching) => join(cache.names, digest(source.url))
const folderOf = ({ models }: CacheFolder, manifest: string) => join(models, manifest)

/** The folder that the address had when it was last read, while its bucket cannot be reached. */
const lastKnown = async (fetching: Fetching): Promise<string | undefined> => {
  const manifest = await readFile(recordOf(fetching), 'utf8').catch(() => '')
  const folder = folderOf(fetching.cache, manifest)
  return manifest !== '' && (await exists(folder)) ? folder : undefined
}

/** The manifest as the bucket has it; a folder that is there already where the bucket is away. */
const readManifest = async (fetching: Fetching): Promise<{ content: Buffer } | { folder: string }> => {
  const { source, bucket, log } = fetching
  const known = await lastKnown(fetching)
  const read = async () => ({ content: await bucket.read(`${source.prefix}${MANIFEST_FILE}`, MAX_MANIFEST_BYTES) })
  let away: Trouble | undefined
  try {
    return await tryAgain(read, {
      onTrouble: (met) => {
        away = met
        if (known !== undefined) throw met.error
        trouble(fetching)(met)
      }
    })
  } catch (error) {
    if (known !== undefined && away && error === away.error) {
      log.warn({ err: error, model: source.url }, 'the bucket cannot be reached, so the model is taken as it was fetched last')
      return { folder: known }
    }
    if (error instanceof NoSuchObject)
      throw new ModelError(`${source.url} is not a model folder: there is no ${MANIFEST_FILE} in it.`)
    if (error instanceof RangeError) throw new ModelError(error.message)
    throw error
  }
}

const lookAt = async ({ source, bucket }: Fetching, { path, sha256 }: HashedFile): Promise<RemoteFile> => {
  const [key, url] = [`${source.prefix}${path}`, `${source.url}/${path}`]
  const { sizeBytes, etag } = await bucket.stat(key).catch((error: unknown) => {
    throw error instanceof NoSuchObject ? new ModelError(`${url} is missing, but the manifest lists it: upload it.`) : error
  })
  return { url, key, sha256, sizeBytes, etag }
}

/** Better said before an hour of fetching than after it. */
const requireRoom = async ({ cache, source }: Fetching, missingBytes: number): Promise<void> => {
  const { bavail, bsize } = await statfs(cache.root)
  if (missingBytes <= bavail * bsize) return
  const [needs, has] = [formatBytes(missingBytes), formatBytes(bavail * bsize)]
  throw new ConfigError(
    `MODELS_CACHE_DIR=${cache.root} has room for ${has}, and ${source.url} needs ${needs}: make room, or set it to a directory that has more.`
  )
}

/** Bytes of part files are on the disk already, as far as they were written. */
const fetchedBefore = async ({ parts }: CacheFolder, { sha256, etag }: RemoteFile): Promise<number> => {
  const found = await stat(join(parts, `${sha256}-${digest(etag).slice(0, 16)}`)).catch(() => undefined)
  return found ? found.blocks * 512 : 0
}

/** Whether a file is in the cache. One that no model folder shares is marked as used, so that nobody removes it meanwhile. */
const claim = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined)
  if (found?.nlink === 1) await touch(path)
  return found !== undefined
}

const fetchFiles = async (fetching: Fetching, listed: readonly HashedFile[]): Promise<void> => {
  const { source, bucket, cache, log } = fetching
  const bySha = new Map(listed.map((file) => [file.sha256, file]))
  const wanted: HashedFile[] = []
  for (const file of bySha.values()) if (!(await claim(cachedPath(cache, file)))) wanted.push(file)
  if (wanted.length === 0) return
  const onTrouble = trouble(fetching)
  const files = await tryAgain(() => Promise.all(wanted.map((file) => lookAt(fetching, file))), { onTrouble })
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const before = (await Promise.all(files.map((file) => fetchedBefore(cache, file)))).reduce((sum, bytes) => sum + bytes, 0)
  await requireRoom(fetching, Math.max(0, totalBytes - before))
  log.info(
    { model: source.url, files: files.length, size: formatBytes(totalBytes), had: formatBytes(before) },
    'fetching a model'
  )
  const progress = reportProgress(log, { model: source.url, totalBytes })
  for (const file of wanted) {
    // Looked at anew each time: what was replaced has another ETag.
    const attempt = async () => fetchFile(bucket, await lookAt(fetching, file), cache, progress.add)
    await tryAgain(attempt, { onTrouble, progress: progress.fetched })
  }
  progress.end()
}

/** @throws ModelError naming what is wrong with the manifest at that place. */
const filesIn = (manifest: Buffer, path: string): HashedFile[] => {
  try {
    return listedFiles({ path, content: parseJson(manifest) })
  } catch (error) {
    throw error instanceof JsonError ? new ModelError(`${path} is not valid JSON: ${error.message}.`) : error
  }
}

/** Puts the files of a model together under the names they have in its manifest. */
const assemble = async (fetching: Fetching, manifest: Buffer, target: string): Promise<void> => {
  const { cache, source } = fetching
  const listed = filesIn(manifest, `${source.url}/${MANIFEST_FILE}`)
  const temporary = join(cache.models, `.${randomUUID()}`)
  await mkdir(temporary)
  try {
    await writeFile(join(temporary, MANIFEST_FILE), manifest)
    await fetchFiles(fetching, listed)
    const { signal } = new AbortController()
    for (const file of new Map(listed.map((each) => [each.path, each])).values())
      await placeFile(cachedPath(cache, file), join(temporary, file.path), { copy: false, signal })
    // Another runner may have been quicker; its folder is as good.
    await rename(temporary, target).catch((error: unknown) => {
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

const fetchFolder = async (fetching: Fetching): Promise<string> => {
  const manifest = await readManifest(fetching)
  if ('folder' in manifest) return manifest.folder
  const name = digest(manifest.content)
  const folder = folderOf(fetching.cache, name)
  if (!(await exists(folder))) await assemble(fetching, manifest.content, folder)
  await replaceFile(recordOf(fetching), name)
  return folder
}

/**
 * Has the model of an address in a folder of this machine. What is there is not fetched again, whatever the name it came under.
 * @throws ModelError and ConfigError for what the operator must see to; waits for a bucket that is away, for as long as it takes.
 */
export const fetchModel = async (address: string, { access, cache: root, log }: FetchOptions): Promise<string> => {
  const source = readModelUrl(address)
  if ('fault' in source) throw new ModelError(`${address} is not the address of a model: ${source.fault}.`)
  const cache = await openCacheFolder(root)
  const bucket = openBucket(access, source.bucket)
  try {
    return await guardDisk(root, async () => {
      const folder = await fetchFolder({ source, bucket, cache, log })
      await touch(folder)
      return folder
    })
  } catch (error) {
    throw error instanceof BucketRefused ? new ModelError(`MODELS has ${source.url}, and ${error.message}`) : error
  } finally {
    bucket.close()
  }
}
