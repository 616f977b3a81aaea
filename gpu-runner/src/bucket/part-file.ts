import { constants } from 'node:fs'
import { appendFile, type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { StoreUnavailable } from '@nextscale/platform/object-store'
import { type CacheFolder, digest } from './cache-folder.ts'

/** What one request asks for. What was broken off within one is asked for again. */
const CHUNK_BYTES = 16 * 2 ** 20
/** An answer that brings nothing for so long is given up. */
const SILENCE_MS = 30_000

export interface Chunk {
  index: number
  from: number
  to: number
}

/**
 * A file that comes in chunks, of several requests at once. Which of them are whole is on record beside it: a later attempt goes on where
 * an earlier one ended, and two processes that fetch the same file each take what the other has not.
 */
export interface PartFile {
  readonly path: string
  /** Chunks that are not on record yet, whoever wrote the others. */
  missing(): Promise<Chunk[]>
  /** @throws StoreUnavailable when the stream ends early, or falls silent. */
  write(chunk: Chunk, content: Readable, onBytes: (bytes: number) => void): Promise<void>
  close(): Promise<void>
  remove(): Promise<void>
}

const chunksOf = (sizeBytes: number): Chunk[] =>
  Array.from({ length: Math.ceil(sizeBytes / CHUNK_BYTES) }, (_, index) => ({
    index,
    from: index * CHUNK_BYTES,
    to: Math.min((index + 1) * CHUNK_BYTES, sizeBytes)
  }))

/** Pieces of a stream; whatever ends it early is the network's doing. */
async function* piecesOf(content: Readable): AsyncGenerator<Buffer> {
  const silent = () => content.destroy(new Error(`nothing came for ${SILENCE_MS} ms`))
  let timer = setTimeout(silent, SILENCE_MS)
  try {
    for await (const piece of content) {
      clearTimeout(timer)
      yield piece as Buffer
      timer = setTimeout(silent, SILENCE_MS)
    }
  } catch (error) {
    throw new StoreUnavailable('The download broke off.', error)
  } finally {
    clearTimeout(timer)
    content.destroy()
  }
}

const writeChunk = async (handle: FileHandle, { from, to }: Chunk, content: Readable, onBytes: (bytes: number) => void) => {
  let at = from
  for await (const piece of piecesOf(content)) {
    if (at + piece.length > to) throw new StoreUnavailable('The download is longer than its part.', undefined)
    await handle.write(piece, 0, piece.length, at)
    at += piece.length
    onBytes(piece.length)
  }
  if (at < to) throw new StoreUnavailable('The download ended early.', undefined)
}

/** Opens the part file of one content: the file's hash, and the ETag of the object it is fetched from. */
export const openPartFile = async (
  { parts }: CacheFolder,
  { sha256, etag, sizeBytes }: { sha256: string; etag: string; sizeBytes: number }
): Promise<PartFile> => {
  const path = join(parts, `${sha256}-${digest(etag).slice(0, 16)}`)
  const record = `${path}.done`
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT)
  const recorded = async () => {
    const text = await readFile(record, 'utf8').catch(() => '')
    return new Set(text.split('\n').filter((line) => /^\d+$/.test(line)))
  }
  return {
    path,
    missing: async () => {
      const done = await recorded()
      return chunksOf(sizeBytes).filter(({ index }) => !done.has(String(index)))
    },
    write: async (chunk, content, onBytes) => {
      await writeChunk(handle, chunk, content, onBytes)
      await handle.datasync()
      await appendFile(record, `${chunk.index}\n`)
    },
    close: () => handle.close(),
    remove: async () => {
      await rm(record, { force: true })
      await rm(path, { force: true })
    }
  }
}
