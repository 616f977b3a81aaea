import { generateImageJob } from './jobs/generate-image.ts'

/*
 * A pool is a set of runners that serve the same models, and each has a queue of its own: generations wait where their model is
 * served, and pools are scaled apart.
 */

/** That of runners which name none. Its queue is the one there was before there were pools. */
export const DEFAULT_POOL = 'default'

/** What a pool may be called. */
export const POOL_PATTERN = /^[a-z0-9][a-z0-9-]{0,31}$/
/** The same in words, after "must be". */
export const POOL_FORM = '1 to 32 lower-case letters, digits and "-" that do not begin with "-"'

const { queue } = generateImageJob

/** Name of the queue of a pool. */
export const queueOfPool = (pool: string): string => (pool === DEFAULT_POOL ? queue : `${queue}@${pool}`)

/** A revision of a model in a pool, one text, as `keys.offers` and `keys.placements` have it. */
export const poolEntry = (pool: string, model: string, revision: string): string => `${pool}/${model}@${revision}`

/** The parts of such a text: a pool's name has no "/", and `ref` is `<model>@<revision>`. */
export const readPoolEntry = (entry: string): { pool: string; ref: string } => {
  const end = entry.indexOf('/')
  return { pool: entry.slice(0, end), ref: entry.slice(end + 1) }
}
