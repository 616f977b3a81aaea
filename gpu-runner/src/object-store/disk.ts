import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isObjectKey } from '@nextscale/openapi'
import { JobError } from '../errors.ts'
import type { ObjectStore } from './object-store.ts'

const UNFINISHED = '.unfinished'
const ABANDONED_AFTER_MS = 3_600_000

/** Removes what a killed runner left half written. Other runners may be writing: only old files go. */
const removeAbandoned = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    // Gone meanwhile: another runner has just put it into its place.
    const found = await stat(path).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true })
  }
}

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

/** Objects as files below `folder`. A file appears under its key only when it is whole and on the disk. */
export const createDiskStore = async (folder: string): Promise<ObjectStore> => {
  const unfinished = join(folder, UNFINISHED)
  await mkdir(unfinished, { recursive: true })
  await removeAbandoned(unfinished)

  const write = async (key: string, body: Buffer): Promise<void> => {
    const temporary = join(unfinished, randomUUID())
    const target = join(folder, key)
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

  return {
    put: async (key, body) => {
      if (!isObjectKey(key))
        throw new JobError('internal_error', 'The picture could not be stored.', new Error(`not an object key: ${key}`))
      await write(key, body).catch((error: unknown) => {
        throw new JobError('object_store_unavailable', 'The picture could not be stored.', error)
      })
    },
    close: () => Promise.resolve()
  }
}
