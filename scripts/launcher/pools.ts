import { availableParallelism } from 'node:os'
import { POOL_FORM, POOL_PATTERN } from '@nextscale/openapi'
import { StartError } from './start-error.ts'

/** A runner that is started, and what its environment has beside the others'. */
export interface PoolRunner {
  name: 'runner' | `runner-${string}`
  env: NodeJS.ProcessEnv
}

const MAX_PORT = 65_535
const EXAMPLE = 'POOLS="small=models/emoji-32; large=models/var-d16,models/var-d20"'

/** A name, or a name and after its first "=" model folders: their paths, and addresses in buckets, may have others. */
const readEntry = (entry: string): { pool: string; models: string | undefined } => {
  const end = entry.indexOf('=')
  const [pool, models] = end < 0 ? [entry] : [entry.slice(0, end).trim(), entry.slice(end + 1).trim()]
  if (models === '')
    throw new StartError(`POOLS has the entry "${entry}": each is a name, or a name and model folders as in ${EXAMPLE}.`)
  if (!POOL_PATTERN.test(pool)) throw new StartError(`POOLS has a pool "${pool}": a name must be ${POOL_FORM}, as in ${EXAMPLE}.`)
  return { pool, models }
}

const readEntries = (text: string) => {
  const entries = text.split(';').flatMap((entry) => (entry.trim() === '' ? [] : [readEntry(entry.trim())]))
  if (entries.length === 0)
    throw new StartError(`POOLS is "${text}", which names no pool: name some as in ${EXAMPLE}, or unset it for one runner.`)
  const names = entries.map(({ pool }) => pool)
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw new StartError(`POOLS names ${twice} twice: one runner is started for each pool.`)
  return entries
}

/** That of the first of some runners; what is no port is left to the runners to refuse. */
const firstMetricsPort = (text: string, count: number): number | undefined => {
  if (!/^\d+$/.test(text)) return undefined
  const first = Number(text)
  const highest = MAX_PORT - count + 1
  if (first <= highest || first > MAX_PORT) return first
  throw new StartError(
    `METRICS_PORT is ${text}, and POOLS names ${count} pools, whose runners take one port each from there on: set METRICS_PORT to ${highest} or less.`
  )
}

/**
 * The runners that are started: one of each pool that POOLS names, each with model folders of its own or those of MODELS; without POOLS
 * one. Unless THREADS says how many each has, they share the cores. METRICS_PORT is the first one's, those of the others follow.
 * @throws StartError in a sentence that says what to set.
 */
export const readPools = (env: NodeJS.ProcessEnv, cores = availableParallelism()): PoolRunner[] => {
  const text = env['POOLS'] ?? ''
  if (text.trim() === '') return [{ name: 'runner', env: {} }]
  const entries = readEntries(text)
  if (env['POOL'])
    throw new StartError('POOL and POOLS are both set: POOLS names the pool of each runner that is started here; leave POOL out.')
  const metricsPort = firstMetricsPort((env['METRICS_PORT'] ?? '').trim(), entries.length)
  return entries.map(({ pool, models }, place) => ({
    name: `runner-${pool}`,
    env: {
      POOL: pool,
      ...(models !== undefined && { MODELS: models }),
      ...(!env['THREADS'] && entries.length > 1 && { THREADS: String(Math.max(1, Math.floor(cores / entries.length))) }),
      ...(metricsPort !== undefined && { METRICS_PORT: String(metricsPort + place) })
    }
  }))
}
