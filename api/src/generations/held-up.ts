import { GenerationError, type HeldUp, type Stage } from '@nextscale/openapi'
import { jsonParserOf } from '../contract/parser.ts'
import type { JobSnapshot } from './snapshot.ts'

const parseError = jsonParserOf(GenerationError)

/** Stages of an attempt that has its model. */
const HAS_MODEL: readonly Stage[] = ['sampling', 'encoding', 'uploading']

/**
 * What keeps a generation from being made that no further second mends; undefined where there is nothing of the kind. The reason of the
 * last attempt that failed stays on a job that is tried again, and so does the last report, whichever run it was of.
 */
export const heldUpBy = ({ failedReason, progress }: Pick<JobSnapshot, 'failedReason' | 'progress'>): HeldUp | undefined => {
  const failed = failedReason === null ? undefined : parseError(failedReason)?.code
  if (failed === 'object_store_unavailable') return failed
  const stage = progress?.stage
  if (failed === 'model_load_failed') return stage !== undefined && HAS_MODEL.includes(stage) ? undefined : failed
  return stage === 'waiting_for_model' ? 'model_not_served' : undefined
}
