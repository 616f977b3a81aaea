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

/** What lies in a store, without the links to it. */
export interface ObjectFolders {
  /** Walks through what is there, generation by generation. */
  list(signal?: AbortSignal): AsyncIterable<StoredGeneration>
  /** Removes every object under a prefix; none is fine. */
  remove(prefix: string, signal?: AbortSignal): Promise<void>
  close(): void
}

/** Where pictures are. Failures of the store itself are problems with code `object_store_unavailable`. */
export interface ObjectStore extends ObjectFolders {
  /** A link anyone may fetch the object with, for a while. Nothing is looked up: the object need not exist. */
  link(key: string, options: LinkOptions): Promise<Link>
  /** Opens an object for whoever holds a link to it; absent where links lead elsewhere. */
  read?(key: string, proof: LinkProof): Promise<StoredObject>
  /** Leaves a mark of this server's own, beside the objects. */
  mark(name: string): Promise<void>
  isMarked(name: string): Promise<boolean>
  /** Opens an object for this server itself. */
  open(key: string): Promise<StoredObject>
}
