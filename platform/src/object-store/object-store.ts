import type { Readable } from 'node:stream'

export interface Link {
  url: string
  /** Unix time in ms at which the link really stops working. */
  expiresAt: number
}

export interface LinkOptions {
  /** Base of this server's absolute URLs. */
  base: string
  /** Unix time in ms the link must not outlive. */
  notAfter: number
}

export interface StoredObject {
  body: Readable
  sizeBytes: number
  etag: string
}

/** What is known of an object without its content. */
export interface ObjectStat {
  sizeBytes: number
  /** Another one when the content was replaced. */
  etag: string
  /** Unix time in ms at which it was put. */
  changedAt: number
}

/** What a link carries beside the key. */
export interface LinkProof {
  /** Unix time in seconds. */
  expires: number
  signature: string
}

/** What a store holds of one generation. */
export interface StoredGeneration {
  id: string
  objects: number
  sizeBytes: number
  /** Unix time in ms of the last change. */
  changedAt: number
}

/** An object that is put. */
export interface NewObject {
  body: Buffer
  contentType: string
}

/** Where pictures are. Every method may fail with StoreUnavailable. */
export interface ObjectStore {
  /** Stores an object whole, replacing an earlier one. Resolves once the store has confirmed it. */
  put(key: string, object: NewObject, signal?: AbortSignal): Promise<void>
  /**
   * Opens an object to be read.
   * @throws NoSuchObject
   */
  open(key: string): Promise<StoredObject>
  /**
   * Looks at an object without reading it.
   * @throws NoSuchObject
   */
  stat(key: string): Promise<ObjectStat>
  /** Walks through what is there, generation by generation. */
  list(signal?: AbortSignal): AsyncIterable<StoredGeneration>
  /** Removes every object under a prefix; none is fine. */
  remove(prefix: string, signal?: AbortSignal): Promise<void>
  /** A link anyone may fetch the object with, for a while. Nothing is looked up: the object need not exist. */
  link(key: string, options: LinkOptions): Promise<Link>
  /**
   * Opens an object for whoever holds a link to it; absent where links lead elsewhere.
   * @throws BadLink, NoSuchObject
   */
  openLinked?(key: string, proof: LinkProof): Promise<StoredObject>
  /** Leaves a mark of the service's own, beside the objects. */
  mark(name: string): Promise<void>
  isMarked(name: string): Promise<boolean>
  close(): void
}
