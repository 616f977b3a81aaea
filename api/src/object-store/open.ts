import type { Config } from '../config.ts'
import { openDiskFolders, openDiskStore } from './disk.ts'
import type { ObjectFolders, ObjectStore } from './object-store.ts'

/** A store that is opened by whoever needs it first. */
const openOnDemand = (load: () => Promise<ObjectStore>): ObjectStore => {
  let opening: Promise<ObjectStore> | undefined
  const opened = () => (opening ??= load())
  return {
    link: async (key, options) => (await opened()).link(key, options),
    remove: async (prefix, signal) => (await opened()).remove(prefix, signal),
    async *list(signal) {
      yield* (await opened()).list(signal)
    },
    mark: async (name) => (await opened()).mark(name),
    isMarked: async (name) => (await opened()).isMarked(name),
    open: async (key) => (await opened()).open(key),
    close: () => void opening?.then((store) => store.close())
  }
}

/** Opens the store the configuration asks for. The S3 client would double the start, and most requests need no store. */
export const openObjectStore = async (config: Config['objectStore']): Promise<ObjectStore> => {
  if (config.kind === 'disk') return openDiskStore(config)
  return openOnDemand(async () => (await import('./s3.ts')).openS3Store(config))
}

/** What the store that the configuration asks for holds; makes nothing there, and no links. */
export const openObjectFolders = async (config: Config['objectStore']): Promise<ObjectFolders> => {
  if (config.kind === 'disk') return openDiskFolders(config.directory)
  const { openS3Store } = await import('./s3.ts')
  return openS3Store(config)
}
