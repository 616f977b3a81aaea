import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ModelError } from '../errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder'
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
  return refuse(stats.isDirectory() ? 'it is a folder' : 'it is not a regular file')
}

/**
 * Reads exactly these bytes.
 * @throws ModelError when the file has fewer, before memory is taken for them.
 */
export const readExactly = async (file: OpenFile, offset: number, length: number): Promise<Buffer> => {
  const refuse = () => new ModelError(`${file.path} is cut off: it has ${file.sizeBytes} bytes and needs ${offset + length}.`)
  if (offset + length > file.sizeBytes) throw refuse()
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.handle.read(bytes, at, length - at, offset + at)
    if (bytesRead === 0) throw refuse()
    at += bytesRead
  }
  return bytes
}
