import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isErrno } from '../errno.ts'

/** Of what is not there, and of what is there and cannot be a file: a link, a socket, a device without its driver. */
const NO_FILE = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO', 'ENODEV']

/** Opens a file to read it. Undefined where there is none, whatever else is there; that is neither waited for nor followed. */
export const openFile = async (path: string, { followsLinks = false } = {}): Promise<FileHandle | undefined> => {
  // Without O_NONBLOCK, opening a named pipe holds a thread until somebody writes to it.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followsLinks ? 0 : constants.O_NOFOLLOW)
  try {
    const handle = await open(path, flags)
    const isFile = await handle.stat().then(
      (stats) => stats.isFile(),
      () => false
    )
    if (isFile) return handle
    await handle.close()
    return undefined
  } catch (error) {
    if (isErrno(error, ...NO_FILE)) return undefined
    throw error
  }
}
