import { JOB_KINDS, type JobKindName } from '@nextscale/openapi'
import { handlerOf, type JobHandler } from './handler.ts'

/** The kinds of jobs this runner does. */
export const HANDLERS: Readonly<Record<JobKindName, JobHandler>> = {
  /** Its settings are all there is to it. */
  generate: handlerOf(JOB_KINDS.generate, ({ plan }) => Promise.resolve(plan))
}
