import type { Config } from '../config.ts'
import { openDiskStore } from './disk.ts'
import type { ObjectStore } from './object-store.ts'

/** Opens the store the configuration asks for. The S3 client is loaded only where it is used: it doubles the start. */
export const openObjectStore = async (config: Config['objectStore']): Promise<ObjectStore> => {
  if (config.kind === 'disk') return openDiskStore(config)
  const { openS3Store } = await import('./s3.ts')
  return openS3Store(config)
}
