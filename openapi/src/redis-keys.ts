/**
 * Names of everything kept in Redis. The prefix is one hash tag, so that on a cluster all keys share a slot,
 * which BullMQ's flows need.
 */
export const redisKeys = (prefix: string) => {
  const root = `{${prefix}}`
  return {
    /** BullMQ's `prefix`. */
    bullmq: root,
    /** Hash: model id to ModelCard (JSON). */
    models: `${root}:models`,
    /** String: a CancelMark (JSON). Written once, never taken back. */
    cancelMark: (generationId: string) => `${root}:cancel:${generationId}`,
    /** Channel that carries ids of generations whose cancel mark was just written. */
    cancelChannel: `${root}:cancel`,
    /** Sorted set of an owner's generation ids by creation time in ms. */
    index: (owner: string) => `${root}:index:${owner}`
  }
}
export type RedisKeys = ReturnType<typeof redisKeys>

export const DEFAULT_PREFIX = 'nextscale'
