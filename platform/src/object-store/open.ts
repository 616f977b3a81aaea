import { ConfigError, type DiskStoreConfig, type ObjectStoreConfig } from '../config/index.ts'
import { openDiskStore, type StoreUse } from './disk.ts'
import type { ObjectStore } from './object-store.ts'

/** A store that is opened by whoever needs it first. */
const openOnDemand = (load: () => Promise<ObjectStore>): ObjectStore => {
  let opening: Promise<ObjectStore> | undefined
  const opened = () => (opening ??= load())
  return {
    put: async (...args) => (await opened()).put(...args),
    open: async (key) => (await opened()).open(key),
    stat: async (key) => (await opened()).stat(key),
    async *list(signal) {
      yield* (await opened()).list(signal)
    },
    remove: async (prefix, signal) => (await opened()).remove(prefix, signal),
    link: async (key, options) => (await opened()).link(key, options),
    mark: async (name) => (await opened()).mark(name),
    isMarked: async (name) => (await opened()).isMarked(name),
    close: () => void opening?.then((store) => store.close())
  }
}

/** Whatever keeps a directory from being used is told with the setting that names it. */
const openDirectory = async (config: DiskStoreConfig, use: StoreUse): Promise<ObjectStore> => {
  try {
    return await openDiskStore(config, use)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError(
      `OBJECT_DIR=${config.directory} cannot be used (${reason}): set it to a directory that can be written to.`
    )
  }
}

/**
 * Opens the store that the configuration asks for. The S3 client would double the start of an API process, most of whose
 * requests need no store: only who writes has it at once.
 * @throws ConfigError when the directory cannot be used
 */
export const openObjectStore = async (config: ObjectStoreConfig, use: StoreUse): Promise<ObjectStore> => {
  if (config.kind === 'disk') return openDirectory(config, use)
  const load = async () => (await import('./s3.ts')).openS3Store(config)
  return use === 'writing' ? load() : openOnDemand(load)
}
