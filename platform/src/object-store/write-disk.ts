import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const UNFINISHED = '.unfinished'
const ABANDONED_AFTER_MS = 3_600_000

const writeWhole = async (path: string, body: Buffer): Promise<void> => {
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(body)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a directory ready to be written to, and removes what a killed process left half written: old files only, since others may be at work. */
export const prepareToWrite = async (directory: string): Promise<void> => {
  const unfinished = join(directory, UNFINISHED)
  await mkdir(unfinished, { recursive: true })
  for (const name of await readdir(unfinished)) {
    const path = join(unfinished, name)
    // Gone meanwhile: another process has just put it into its place.
    const found = await stat(path).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true })
  }
}

/** Writes a file below a directory. It appears under its key only when it is whole and on the disk. */
export const writeToDisk = async (directory: string, key: string, body: Buffer): Promise<void> => {
  const temporary = join(directory, UNFINISHED, randomUUID())
  const target = join(directory, key)
  try {
    await writeWhole(temporary, body)
    await mkdir(dirname(target), { recursive: true })
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(target))
}
