import Type, { type TSchema } from 'typebox'

/** A kind of work that runners do: each makes pictures, and is retried, canceled, told of and stored like the others. */
export interface JobKind<Own extends TSchema = TSchema> {
  /** What its jobs have beside the settings, under `own`: keys of what is read from the store, for example. */
  own: Own
}

/** The kinds of work there are, by what a payload calls them. A payload that names none is of the first. */
export const JOB_KINDS = {
  /** Draws pictures from settings alone. */
  generate: { own: Type.Object({}) }
} as const satisfies Record<string, JobKind>

export type JobKindName = keyof typeof JOB_KINDS

export const JOB_KIND_NAMES = ['generate'] as const satisfies readonly JobKindName[]

export const DEFAULT_JOB_KIND = 'generate' satisfies JobKindName

/** The kind that a payload names, as far as this release knows it. */
export const jobKindOf = ({ kind }: { kind?: string }): JobKindName =>
  JOB_KIND_NAMES.find((name) => name === kind) ?? DEFAULT_JOB_KIND
