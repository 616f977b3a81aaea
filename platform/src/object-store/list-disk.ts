import { lstat, opendir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { generationOf, generationPrefix, GENERATIONS_PREFIX } from '@nextscale/openapi'
import { isErrno } from '../errno.ts'
import type { StoredGeneration } from './object-store.ts'

/** What `work` gives, or nothing where a file or folder is gone. */
const unlessGone = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

const look = async (directory: string, id: string): Promise<StoredGeneration> => {
  const folder = join(directory, generationPrefix(id))
  const files = (await readdir(folder)).map((name) => join(folder, name))
  const [own, ...stats] = await Promise.all([lstat(folder), ...files.map((file) => unlessGone(() => lstat(file)))])
  const found = stats.filter((each) => each !== undefined)
  return {
    id,
    objects: found.length,
    sizeBytes: found.reduce((sum, { size }) => sum + size, 0),
    changedAt: Math.max(own.mtimeMs, ...found.map(({ mtimeMs }) => mtimeMs))
  }
}

/** What each generation's folder in a directory holds. Folders that go meanwhile are left out, and so is what is no such folder. */
export async function* listDisk(directory: string): AsyncGenerator<StoredGeneration> {
  const folders = await unlessGone(() => opendir(join(directory, GENERATIONS_PREFIX)))
  if (folders === undefined) return
  for await (const entry of folders) {
    const id = entry.isDirectory() ? generationOf(`${GENERATIONS_PREFIX}${entry.name}/`) : undefined
    const stored = id === undefined ? undefined : await unlessGone(() => look(directory, id))
    if (stored) yield stored
  }
}
