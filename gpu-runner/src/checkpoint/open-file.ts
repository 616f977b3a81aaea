import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ModelError } from '../errors.ts'

const NOT_REGULAR = 'it is not a regular file'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a link that leads to itself',
  // What opening a socket answers.
  ENXIO: NOT_REGULAR
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error))
}

/** A file that is open for reading. */
export interface OpenFile {
  path: string
  handle: FileHandle
  sizeBytes: number
  close(): Promise<void>
}

/**
 * Opens a regular file. Opening does not wait, or a pipe nobody writes to would hang the start.
 * @throws ModelError naming the file.
 */
export const openFile = async (path: string): Promise<OpenFile> => {
  const refuse = (reason: string): never => {
    throw new ModelError(`${path} cannot be opened: ${reason}.`)
  }
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => refuse(reasonOf(error)))
  const stats = await handle.stat()
  if (stats.isFile()) return { path, handle, sizeBytes: stats.size, close: () => handle.close() }
  await handle.close()
  return refuse(stats.isDirectory() ? 'it is a folder' : NOT_REGULAR)
}

/** Fills `bytes` from the file. */
const fill = async (file: OpenFile, offset: number, bytes: Buffer): Promise<void> => {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.handle.read(bytes, at, bytes.length - at, offset + at)
    if (bytesRead === 0) throw cutOff(file, offset + bytes.length)
    at += bytesRead
  }
}

const cutOff = ({ path, sizeBytes }: OpenFile, needed: number): ModelError =>
  new ModelError(`${path} is cut off: it has ${sizeBytes} bytes and needs ${needed}.`)

/**
 * Reads exactly these bytes.
 * @throws ModelError when the file has fewer, before memory is taken for them.
 */
export const readExactly = async (file: OpenFile, offset: number, length: number): Promise<Buffer> => {
  if (offset + length > file.sizeBytes) throw cutOff(file, offset + length)
  const bytes = Buffer.alloc(length)
  await fill(file, offset, bytes)
  return bytes
}

/**
 * Reads a whole small file.
 * @throws ModelError when it is no regular file or larger than that, before any of it is read.
 */
export const readSmallFile = async (path: string, maxBytes: number): Promise<Buffer> => {
  const file = await openFile(path)
  try {
    if (file.sizeBytes > maxBytes)
      throw new ModelError(`${path} is too large: it has ${file.sizeBytes} bytes and may have ${maxBytes}.`)
    return await readExactly(file, 0, file.sizeBytes)
  } finally {
    await file.close()
  }
}

/** A multiple of the size of every type. */
const PIECE_BYTES = 2 ** 20

/**
 * Reads exactly these bytes, piece by piece. A piece is overwritten by the next.
 * @throws ModelError when the file has fewer.
 */
export async function* readPieces(file: OpenFile, offset: number, length: number): AsyncGenerator<Buffer<ArrayBuffer>> {
  if (offset + length > file.sizeBytes) throw cutOff(file, offset + length)
  const buffer = Buffer.alloc(Math.min(length, PIECE_BYTES))
  for (let at = 0; at < length; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, length - at))
    await fill(file, offset + at, piece)
    yield piece
  }
}

/** What one read brings along for the parts that follow: what a disk reads anyway. */
const WINDOW_BYTES = 4_096

/** As `readExactly`, for many small parts in the order they lie in: neighbours come with one read. */
export const readInOrder = (file: OpenFile): ((offset: number, length: number) => Promise<Buffer>) => {
  let begin = 0
  let window: Buffer = Buffer.alloc(0)
  return async (offset, length) => {
    const at = offset - begin
    if (at >= 0 && at + length <= window.length) return window.subarray(at, at + length)
    begin = offset
    window = await readExactly(file, offset, Math.max(length, Math.min(WINDOW_BYTES, file.sizeBytes - offset)))
    return window.subarray(0, length)
  }
}
