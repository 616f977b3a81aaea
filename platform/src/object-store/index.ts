export { openDiskStore } from './disk.ts'
export { BadLink, NoSuchObject, StoreUnavailable } from './errors.ts'
export type { Link, LinkOptions, LinkProof, NewObject, ObjectStore, StoredGeneration, StoredObject } from './object-store.ts'
export { openObjectStore } from './open.ts'
