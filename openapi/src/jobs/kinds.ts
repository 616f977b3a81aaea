import Type, { type Static, type TSchema } from 'typebox'

/** A kind of work that runners do: each makes pictures, and is retried, canceled, told of and stored like the others. */
export interface JobKind<Own extends TSchema = TSchema> {
  /** What it does, after its name: `draws pictures from settings alone`. */
  does: string
  /** What its jobs have beside the settings, under `own`: keys of what is read from the store, for example. */
  own: Own
}

/** The kinds of work there are, by what a payload calls them. A payload that names none is of the first. */
export const JOB_KINDS = {
  generate: { does: 'draws pictures from settings alone', own: Type.Object({}) }
} as const satisfies Record<string, JobKind>

export type JobKindName = keyof typeof JOB_KINDS

export const JOB_KIND_NAMES = ['generate'] as const satisfies readonly JobKindName[]

/** What a payload says of its kind: the name, and what the jobs of that kind have beside the settings. */
export type KindPart<Table extends Readonly<Record<string, JobKind>> = typeof JOB_KINDS> = {
  [Name in keyof Table]: { kind: Name; own: Static<Table[Name]['own']> }
}[keyof Table]

/** All kinds, and what each does. */
export const describeKinds = (): string => JOB_KIND_NAMES.map((name) => `\`${name}\` ${JOB_KINDS[name].does}`).join(', ')

export const DEFAULT_JOB_KIND = 'generate' satisfies JobKindName

/** The kind that a payload names, as far as this release knows it. */
export const jobKindOf = ({ kind }: { kind?: string }): JobKindName =>
  JOB_KIND_NAMES.find((name) => name === kind) ?? DEFAULT_JOB_KIND
