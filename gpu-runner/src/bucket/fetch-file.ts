import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bucket } from '@nextscale/platform/bucket'
import { NoSuchObject, StoreUnavailable } from '@nextscale/platform/object-store'
import { ModelError } from '../errors.ts'
import { hashFile } from '../model/hash-file.ts'
import { type CacheFolder, exists } from './cache-folder.ts'
import { type Chunk, openPartFile, type PartFile } from './part-file.ts'

/** Requests at once for one file: one alone seldom fills a line. */
const PARALLEL = 4

/** A file of a model folder, as the bucket has it. */
export interface RemoteFile {
  /** Its address, for people. */
  url: string
  key: string
  sha256: string
  sizeBytes: number
  etag: string
}

export const cachedPath = ({ files }: CacheFolder, { sha256 }: Pick<RemoteFile, 'sha256'>): string => join(files, sha256)

const shuffled = <T>(values: readonly T[]): T[] =>
  values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value)

interface Download {
  bucket: Bucket
  file: RemoteFile
  part: PartFile
  onBytes: (bytes: number) => void
  /** Whether another process has put the whole file into its place. */
  isThere: () => Promise<boolean>
  signal: AbortSignal
}

const fetchChunk = async ({ bucket, file, part, onBytes, signal }: Download, chunk: Chunk): Promise<void> => {
  const content = await bucket.open(file.key, { ...chunk, etag: file.etag }, signal).catch((error: unknown) => {
    // Whoever tries again looks at it first.
    throw error instanceof NoSuchObject ? new StoreUnavailable(`${file.url} was replaced while it was fetched.`, error) : error
  })
  await part.write(chunk, content, onBytes)
}

/** Fetches what is missing, in any order: another process may fetch the same file, and its chunks are skipped. */
const fetchChunks = async (download: Omit<Download, 'signal'>, chunks: Chunk[]): Promise<void> => {
  const stop = new AbortController()
  const left = shuffled(chunks)
  const work = async (): Promise<void> => {
    for (let chunk = left.pop(); chunk && !stop.signal.aborted; chunk = left.pop()) {
      if (await download.isThere()) return
      const { index } = chunk
      const isMissing = (await download.part.missing()).some((each) => each.index === index)
      if (isMissing) await fetchChunk({ ...download, signal: stop.signal }, chunk)
    }
  }
  const workers = Array.from({ length: PARALLEL }, () =>
    work().catch((error: unknown) => {
      stop.abort(error)
      throw error
    })
  )
  // All are waited for, since they write into a file that is then closed.
  for (const outcome of await Promise.allSettled(workers)) if (outcome.status === 'rejected') throw stop.signal.reason
}

/** @throws StoreUnavailable where it is to be fetched anew, ModelError where that would change nothing. */
const verify = async ({ url, sha256 }: RemoteFile, part: PartFile, isResumed: boolean): Promise<void> => {
  // Another process, which has found the content to be wrong, removes it.
  if (!(await exists(part.path))) throw new StoreUnavailable(`${url} was given up by another runner.`, undefined)
  const actual = await hashFile(part.path)
  if (actual === sha256) return
  await part.remove()
  if (isResumed) throw new StoreUnavailable(`what had been fetched of ${url} before was damaged, and is fetched anew.`, undefined)
  throw new ModelError(`${url} has sha256 ${actual}, but the manifest says ${sha256}: upload the file again.`)
}

/**
 * Has a file in the cache folder, whole and with the content that the manifest promises. What an earlier attempt has fetched of it is not
 * fetched again, and where another process is faster, its file is taken.
 * @throws ModelError for another content, StoreUnavailable for what may mend itself.
 */
export const fetchFile = async (
  bucket: Bucket,
  file: RemoteFile,
  cache: CacheFolder,
  onBytes: (bytes: number) => void
): Promise<void> => {
  const path = cachedPath(cache, file)
  const isThere = () => exists(path)
  if (await isThere()) return
  const part = await openPartFile(cache, file)
  try {
    const missing = await part.missing()
    const isResumed = missing.reduce((sum, { from, to }) => sum + to - from, 0) < file.sizeBytes
    await fetchChunks({ bucket, file, part, onBytes, isThere }, missing)
    if (await isThere()) return await part.remove()
    await verify(file, part, isResumed)
    await rename(part.path, path)
    await part.remove()
  } catch (error) {
    if (!(await isThere())) throw error
  } finally {
    await part.close()
  }
}
