export { openDiskStore } from './disk.ts'
export { BadLink, BucketRefused, NoSuchObject, StoreUnavailable } from './errors.ts'
export type {
  Link,
  LinkOptions,
  LinkProof,
  NewObject,
  ObjectStat,
  ObjectStore,
  StoredGeneration,
  StoredObject
} from './object-store.ts'
export { openObjectStore } from './open.ts'
