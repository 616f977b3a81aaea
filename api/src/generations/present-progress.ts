import type { GenerateImageProgress } from '@nextscale/openapi'
import type { LiveSnapshot } from './snapshot.ts'

/** Progress of the last run. What an earlier one reported stays on the job until the next reports, and is not shown. */
export const presentProgress = (snapshot: LiveSnapshot): GenerateImageProgress | null => {
  if (snapshot.kind !== 'job' || snapshot.progress === null) return null
  const { progress, runs } = snapshot
  return progress.run === undefined || progress.run === runs ? progress : null
}
