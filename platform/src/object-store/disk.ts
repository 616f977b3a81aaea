import { type FileHandle, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generationOf, generationPrefix, isObjectKey } from '@nextscale/openapi'
import type { DiskStoreConfig } from '../config/index.ts'
import { BadLink, NoSuchObject, StoreUnavailable } from './errors.ts'
import { isSignatureOf, signLink } from './link-signature.ts'
import { loadLinkSecret } from './link-secret.ts'
import { listDisk } from './list-disk.ts'
import type { LinkProof, ObjectStat, ObjectStore, StoredGeneration, StoredObject } from './object-store.ts'
import { openFile } from './open-file.ts'
import { prepareToWrite, writeToDisk } from './write-disk.ts'

const unavailable = (cause: unknown) =>
  new StoreUnavailable('The directory that holds the pictures cannot be used now. Try again later.', cause)

const notFound = () => new NoSuchObject('There is no such picture. It was deleted, or its retention is over.')

const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw unavailable(error)
  }
}

const checkProof = (secret: string, key: string, { expires, signature }: LinkProof, now: number): void => {
  const again = 'Read the generation again for a fresh link.'
  if (!isSignatureOf(secret, key, expires, signature)) throw new BadLink(`The link was changed. ${again}`)
  if (now >= expires * 1000) throw new BadLink(`The link has expired. ${again}`)
}

const etagOf = (sizeBytes: number, changedAt: number) => `"${sizeBytes.toString(36)}-${Math.trunc(changedAt).toString(36)}"`

const statOf = async (handle: FileHandle): Promise<ObjectStat> => {
  const { size, mtimeMs } = await handle.stat()
  return { sizeBytes: size, etag: etagOf(size, mtimeMs), changedAt: Math.trunc(mtimeMs) }
}

const describe = async (handle: FileHandle): Promise<StoredObject> => {
  try {
    const { sizeBytes, etag } = await statOf(handle)
    // The stream closes the handle when it ends or is destroyed.
    return { body: handle.createReadStream(), sizeBytes, etag }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const openKey = async (directory: string, key: string): Promise<FileHandle> => {
  const handle = isObjectKey(key) ? await guarded(() => openFile(join(directory, key))) : undefined
  if (handle === undefined) throw notFound()
  return handle
}

const openObject = async (directory: string, key: string): Promise<StoredObject> => {
  const handle = await openKey(directory, key)
  return guarded(() => describe(handle))
}

const statObject = async (directory: string, key: string): Promise<ObjectStat> => {
  const handle = await openKey(directory, key)
  try {
    return await guarded(() => statOf(handle))
  } finally {
    await handle.close()
  }
}

/** Its name is none of an object's. */
const markPath = (directory: string, name: string) => join(directory, `.${name}`)

const mark = async (directory: string, name: string): Promise<void> => {
  await mkdir(directory, { recursive: true })
  await writeFile(markPath(directory, name), '')
}

const isMarked = (directory: string, name: string): Promise<boolean> =>
  guarded(async () => {
    const handle = await openFile(markPath(directory, name))
    await handle?.close()
    return handle !== undefined
  })

async function* guardedList(directory: string): AsyncGenerator<StoredGeneration> {
  try {
    yield* listDisk(directory)
  } catch (error) {
    throw unavailable(error)
  }
}

/** What a store is opened for: what it prepares, and what must work at once. */
export type StoreUse = 'links' | 'writing' | 'looking'

/** Objects as files in a directory, behind signed links to this server. */
export const openDiskStore = async (config: DiskStoreConfig, use: StoreUse, now = Date.now): Promise<ObjectStore> => {
  const { directory, linkTtlSeconds } = config
  const readSecret = async () => config.linkSecret ?? (await loadLinkSecret(directory))
  const known = use === 'links' ? await readSecret() : undefined
  const secretOf = async () => known ?? (await readSecret())
  if (use === 'writing') await prepareToWrite(directory)
  return {
    put: async (key, { body }) => {
      if (!isObjectKey(key)) throw new TypeError(`not an object key: ${key}`)
      await guarded(() => writeToDisk(directory, key, body))
    },
    open: (key) => openObject(directory, key),
    stat: (key) => statObject(directory, key),
    list: () => guardedList(directory),
    async remove(prefix) {
      const id = generationOf(prefix)
      if (id === undefined || generationPrefix(id) !== prefix) throw new TypeError(`${prefix} is not a generation's folder`)
      await guarded(() => rm(join(directory, prefix), { recursive: true, force: true }))
    },
    async link(key, { base, notAfter }) {
      const expires = Math.floor(Math.min(now() + linkTtlSeconds * 1000, notAfter) / 1000)
      const url = `${base}/v1/objects/${key}?expires=${expires}&signature=${signLink(await secretOf(), key, expires)}`
      return { url, expiresAt: expires * 1000 }
    },
    async openLinked(key, proof) {
      if (!isObjectKey(key)) throw notFound()
      checkProof(await secretOf(), key, proof, now())
      return openObject(directory, key)
    },
    mark: (name) => mark(directory, name),
    isMarked: (name) => isMarked(directory, name),
    close() {}
  }
}
