import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ROOT } from './config.ts'
import type { PoolRunner } from './pools.ts'

/** Folders are looked for here, then where the runner has its own. */
const PLACES = [ROOT, join(ROOT, 'gpu-runner')]

const idIn = (folder: string): string | undefined => {
  try {
    const { id } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { id?: unknown }
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

/**
 * Id of the first model of the first pool, which is to be the default one; of several pools the API cannot know which was named first. Undefined
 * where it is in a bucket, or has no folder: the runner says what is wrong with that.
 */
export const firstModelOf = ([first, ...others]: readonly PoolRunner[], env: NodeJS.ProcessEnv): string | undefined => {
  if (!first || others.length === 0) return undefined
  const [model = 'models/emoji-32'] = (first.env['MODELS'] || env['MODELS'] || '').split(',').filter((name) => name.trim() !== '')
  return PLACES.map((place) => idIn(resolve(place, model.trim()))).find((id) => id !== undefined)
}
