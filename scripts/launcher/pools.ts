import { availableParallelism } from 'node:os'
import { POOL_PATTERN } from '@nextscale/openapi'
import { StartError } from './start-error.ts'

/** A runner that is started, and what its environment has beside the others'. */
export interface PoolRunner {
  name: 'runner' | `runner-${string}`
  env: NodeJS.ProcessEnv
}

const EXAMPLE = 'POOLS="small=models/emoji-32; large=models/var-d16,models/var-d20"'

const readEntry = (entry: string): { pool: string; models: string | undefined } => {
  const [pool = '', models, ...rest] = entry.split('=').map((part) => part.trim())
  if (rest.length > 0 || models === '')
    throw new StartError(`POOLS has the entry "${entry}": each is a name, or a name and model folders as in ${EXAMPLE}.`)
  if (!POOL_PATTERN.test(pool))
    throw new StartError(
      `POOLS has a pool "${pool}": a name is 1 to 32 lower-case letters, digits and "-", not first, as in ${EXAMPLE}.`
    )
  return { pool, models }
}

/**
 * The runners that are started: one of each pool that POOLS names, each with model folders of its own or those of MODELS; without POOLS
 * one. Unless THREADS says how many each has, they share the cores. METRICS_PORT is the first one's, those of the others follow.
 * @throws StartError in a sentence that says what to set.
 */
export const readPools = (env: NodeJS.ProcessEnv, cores = availableParallelism()): PoolRunner[] => {
  const entries = (env['POOLS'] ?? '').split(';').flatMap((entry) => (entry.trim() === '' ? [] : [readEntry(entry.trim())]))
  if (entries.length === 0) return [{ name: 'runner', env: {} }]
  if (env['POOL'])
    throw new StartError('POOL and POOLS are both set: POOLS names the pool of each runner that is started here; leave POOL out.')
  const names = entries.map(({ pool }) => pool)
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw new StartError(`POOLS names ${twice} twice: one runner is started for each pool.`)
  const metricsPort = Number(env['METRICS_PORT'] || Number.NaN)
  return entries.map(({ pool, models }, place) => ({
    name: `runner-${pool}`,
    env: {
      POOL: pool,
      ...(models !== undefined && { MODELS: models }),
      ...(!env['THREADS'] && entries.length > 1 && { THREADS: String(Math.max(1, Math.floor(cores / entries.length))) }),
      ...(Number.isInteger(metricsPort) && { METRICS_PORT: String(metricsPort + place) })
    }
  }))
}
