export interface ObjectStore {
  /**
   * Stores an object whole, replacing an earlier one. Resolves once the store has confirmed it.
   * @throws JobError `object_store_unavailable`
   */
  put(key: string, body: Buffer, contentType: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
