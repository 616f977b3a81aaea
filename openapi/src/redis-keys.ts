/**
 * Names of everything kept in Redis. The prefix is one hash tag, so that on a cluster all keys share a slot,
 * which BullMQ's flows need.
 */
export const redisKeys = (prefix: string) => {
  const root = `{${prefix}}`
  return {
    /** BullMQ's `prefix`. */
    bullmq: root,
    /** Hash: a job, as BullMQ keeps it, with `faults` (attempts that failed by its own doing), `aside` (times it was begun and put aside) and `passed` (times it was put aside before it was begun). */
    job: (queue: string, id: string) => `${root}:${queue}:${id}`,
    /** Sorted set: ids of generations that have a mark, by the time in ms at which it was written, until their job has ended or is out of the queue. */
    unreleased: `${root}:unreleased`,
    /** Hash: owner to WebhookSecretRecord (JSON). */
    webhookSecrets: `${root}:webhook-secrets`,
    /** Sorted set of an owner's webhook deliveries by the time in ms at which they were made. */
    deliveries: (owner: string) => `${root}:deliveries:${owner}`,
    /** Sorted set of the deliveries of a generation's events that are no end, by the time in ms at which they were made. */
    liveDeliveries: (generationId: string) => `${root}:live-deliveries:${generationId}`,
    /** Hash: model id to AnnouncedCard (JSON), the one announced last. */
    models: `${root}:models`,
    /** Sorted set: `<model>@<revision>` of what runners have offered, by the time in ms at which that was first announced. */
    revisions: `${root}:revisions`,
    /** String: AnnouncedCard (JSON) of a revision. Lapses a while after runners cease to announce it. */
    modelRevision: (model: string, revision: string) => `${root}:models:${model}@${revision}`,
    /** Sorted set: names of the pools there are beside the default one, by the time in ms at which each was last used. */
    pools: `${root}:pools`,
    /** Sorted set: `poolEntry` of what runners of a pool offer, by the time in ms at which that was last announced. */
    offers: `${root}:offers`,
    /** Sorted set: `poolEntry` of what generations were put into a pool's queue for, by about the time in ms at which one last was. */
    placements: `${root}:placements`,
    /** String: a CancelMark (JSON). Written once, never taken back. */
    cancelMark: (generationId: string) => `${root}:cancel:${generationId}`,
    /** Channel that carries ids of generations whose cancel mark was just written. */
    cancelChannel: `${root}:cancel`,
    /** Hash: API key id to ApiKeyRecord (JSON). */
    apiKeys: `${root}:api-keys`,
    /** String: `1`, there has been an API key, never taken back; `0`, the object store knew of none when it was asked. */
    keysMade: `${root}:keys-made`,
    /** Rate state of an API key. */
    rate: (owner: string) => `${root}:rate:${owner}`,
    /** Sorted set of an owner's unfinished generations by creation time in ms; finished ones are taken out lazily. */
    inFlight: (owner: string) => `${root}:in-flight:${owner}`,
    /** Sorted set of an owner's open streams and waits by the time in ms at which they lapse unless renewed. */
    streams: (owner: string) => `${root}:streams:${owner}`,
    /** String: the secret that signs stream tokens, drawn by the first API process. */
    streamSecret: `${root}:stream-secret`,
    /** Sorted set: `<model>@<revision>` of what no runner that took a generation up served, by the time in ms at which that was last found. */
    unserved: `${root}:unserved`,
    /** Sorted set: ids of the generations put aside for a runner that serves a revision, by the time in ms of that. */
    putAside: (model: string, revision: string) => `${root}:put-aside:${model}@${revision}`,
    /** String: what an API process wrote last, for another of its connections to see. */
    confirmation: (process: string) => `${root}:confirmation:${process}`,
    /** Hash: runner id to RunnerCard (JSON). */
    runners: `${root}:runners`,
    /** Sorted set: ids of generations with stored objects by the time in ms at which those may be removed. */
    expiry: `${root}:expiry`,
    /** String: objects of unknown generations were looked for. Lapses when it is time to look again. */
    orphansLooked: `${root}:orphans-looked`,
    /** Sorted set of an owner's generation ids by creation time in ms. */
    index: (owner: string) => `${root}:index:${owner}`
  }
}
export type RedisKeys = ReturnType<typeof redisKeys>

export const DEFAULT_PREFIX = 'nextscale'
