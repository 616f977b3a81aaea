import type { GenerationInput, JobKind } from '@nextscale/openapi'
import type { ObjectStore } from '@nextscale/platform/object-store'
import type { Static, TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { JobError } from '../../errors.ts'
import type { GenerationPlan } from '../../families/family.ts'
import type { Picture } from '../../image/picture.ts'

/** How the pictures of one job are made. */
export interface Work {
  /** What the sampler is asked for picture `index`, as the model's family reads it. */
  requestOf(index: number): object
  /** What reproduces picture `index`, as JSON. It must not depend on the other pictures of the job. */
  settingsOf(index: number): object
  /** What becomes of picture `index` as it was decoded; left out, it stays as it is. */
  finish?(picture: Picture, index: number): Promise<Picture>
}

/** A job that has been taken up, by a runner that serves its model. */
export interface StartedJob<Own = unknown> {
  id: string
  input: GenerationInput
  /** How its model makes pictures of these settings. */
  plan: GenerationPlan
  /** What its kind has beside the settings. */
  own: Own
}

export interface JobTools {
  store: Pick<ObjectStore, 'open'>
  /** Fires when the attempt is over: canceled, lapsed, or the runner told to stop. */
  signal: AbortSignal
}

/** The runner's half of a kind of job. All else is alike: retries, cancellation, progress, storing, events, metrics. */
export interface JobHandler {
  /**
   * Readies a job for the sampler, and reads what it needs from the store.
   * @throws JobError for what no attempt can mend, StoreUnavailable for what a later one may.
   */
  prepare(job: StartedJob, tools: JobTools): Promise<Work>
}

/** By the names of the kinds. */
export type JobHandlers = Readonly<Record<string, JobHandler>>

/** The handler of a kind, which gets what its jobs have beside the settings as its schema says. */
export const handlerOf = <Own extends TSchema>(
  { own: schema }: JobKind<Own>,
  prepare: (job: StartedJob<Static<Own>>, tools: JobTools) => Promise<Work>
): JobHandler => ({
  prepare: ({ own, ...job }, tools) => {
    if (Check(schema, own)) return prepare({ ...job, own }, tools)
    const [first] = Errors(schema, own)
    throw new JobError('invalid_job', `This runner does not understand the job: /own${first?.instancePath} ${first?.message}.`)
  }
})
