import type { Static, TSchema } from 'typebox'
import Type from 'typebox'
import { MAX_SCALES } from '../schemas/limits.ts'
import { nullable, optional } from '../schemas/primitives.ts'
import type { Capability, CapabilityKind, CapabilityTable } from './capability.ts'

const listed = new WeakMap<CapabilityTable, readonly (readonly [string, Capability])[]>()

/** A table as a list, made once: settings are completed with each generation that is read. */
const listOf = (table: CapabilityTable): readonly (readonly [string, Capability])[] => {
  const list = listed.get(table) ?? Object.entries(table)
  listed.set(table, list)
  return list
}

/** The entries that `make` makes something of, by name. What that is the caller says to the compiler, here alone. */
const entriesOf = <Made>(table: CapabilityTable, make: (capability: Capability, name: string) => unknown): Made => {
  const entries: Record<string, unknown> = {}
  for (const [name, capability] of listOf(table)) {
    const made = make(capability, name)
    if (made !== undefined) entries[name] = made
  }
  return entries as Made
}

/** The names of the capabilities of a kind. */
type NamesOf<T extends CapabilityTable, Kind extends CapabilityKind> = {
  [Name in keyof T]: T[Name]['kind'] extends Kind ? Name : never
}[keyof T]

/** What a request says that asks for nothing. */
export const nothingOf = ({ nothing, neutral }: Capability): unknown => nothing ?? neutral

type AskedFields<T extends CapabilityTable, Kind extends CapabilityKind> = {
  [Name in NamesOf<T, Kind>]: ReturnType<typeof optional<T[Name]['asked']>>
}

/** Fields of a request for something new; their defaults are written beside them, where a model has no say in them. */
export const askedFields = <const T extends CapabilityTable, const Kind extends CapabilityKind>(table: T, wanted: Kind) =>
  entriesOf<AskedFields<T, Kind>>(table, (capability) => {
    if (capability.kind !== wanted) return undefined
    const byDefault = capability.ofModel ? null : nothingOf(capability)
    const { asked, description } = capability
    return optional(byDefault === null ? asked : { ...asked, default: byDefault }, description)
  })

/** The same for a request that goes on from something: what is left out is not the default. */
export const askedAgainFields = <const T extends CapabilityTable, const Kind extends CapabilityKind>(table: T, wanted: Kind) =>
  entriesOf<AskedFields<T, Kind>>(table, ({ kind, asked, description }) =>
    kind === wanted ? optional(asked, description) : undefined
  )

type ValueFields<T extends CapabilityTable, Kind extends CapabilityKind> = { [Name in NamesOf<T, Kind>]: T[Name]['value'] }

/** The settings in force. */
export const valueFields = <const T extends CapabilityTable, const Kind extends CapabilityKind>(table: T, wanted: Kind) =>
  entriesOf<ValueFields<T, Kind>>(table, ({ kind, value }) => (kind === wanted ? value : undefined))

type QueuedOf<C extends Capability> = C extends { queued: infer Queued extends TSchema } ? Queued : C['value']
type QueuedFields<T extends CapabilityTable> = { [Name in keyof T]: ReturnType<typeof Type.Optional<QueuedOf<T[Name]>>> }

/** The settings as they lie in the queue: jobs of an earlier release lack those that there were none of. */
export const queuedFields = <const T extends CapabilityTable>(table: T) =>
  entriesOf<QueuedFields<T>>(table, ({ value, queued = value }) => Type.Optional(queued))

export type ValuesOf<T extends CapabilityTable> = { [Name in keyof T]: Static<T[Name]['value']> }

/** The settings in force of a queued job: of those it lacks, the neutral ones. */
export const completeValues = <const T extends CapabilityTable>(table: T, queued: object) =>
  entriesOf<ValuesOf<T>>(table, (capability, name) => {
    const value: unknown = Reflect.get(queued, name) ?? capability.neutral
    return capability.complete ? capability.complete(value) : value
  })

/** An array with an entry for each scale, or `null`. */
export const eachScale = <T extends TSchema>(value: T, description: string) =>
  nullable(Type.Array(value, { maxItems: MAX_SCALES, description }))

type PerScale<C extends Capability> = C extends { perScale: { value: infer Value extends TSchema } } ? Value : never
type ScaleFields<T extends CapabilityTable> = {
  [Name in keyof T as T[Name] extends { perScale: object } ? Name : never]: ReturnType<typeof eachScale<PerScale<T[Name]>>>
}

/** The order is that of the text in pictures, and so part of their bytes: steering first. */
const inOrderOfScales = (table: CapabilityTable): CapabilityTable => {
  const { steering = [], subject = [] } = Object.groupBy(Object.entries(table), ([, { kind }]) => kind)
  return Object.fromEntries([...steering, ...subject])
}

/** Settings per scale. */
export const scaleFields = <const T extends CapabilityTable>(table: T) =>
  entriesOf<ScaleFields<T>>(inOrderOfScales(table), ({ perScale }) => perScale && eachScale(perScale.value, perScale.description))

type ScaleValues<T extends CapabilityTable> = {
  [Name in keyof T as T[Name] extends { perScale: object } ? Name : never]: Static<PerScale<T[Name]>>[] | null
}

/** Settings per scale; `null` of those that are not said. */
export const completeScales = <const T extends CapabilityTable>(table: T, said: object) =>
  entriesOf<ScaleValues<T>>(inOrderOfScales(table), ({ perScale }, name) => perScale && (Reflect.get(said, name) ?? null))

type DefaultOf<C extends Capability> = C extends { ofModel: infer OfModel extends TSchema } ? OfModel : never
type DefaultFields<T extends CapabilityTable> = {
  [Name in keyof T as T[Name] extends { ofModel: object } ? Name : never]: ReturnType<typeof nullable<DefaultOf<T[Name]>>>
}

/** Defaults that models have of their own; `null` where one has no such capability. */
export const defaultFields = <const T extends CapabilityTable>(table: T) =>
  entriesOf<DefaultFields<T>>(table, ({ ofModel }) => ofModel && nullable(ofModel))

type DefaultsOf<T extends CapabilityTable> = {
  [Name in keyof T as T[Name] extends { ofModel: object } ? Name : never]: Static<DefaultOf<T[Name]>> | null
}

/** The defaults of a model with these capabilities; the neutral value where it says nothing. */
export const completeDefaults = <const T extends CapabilityTable>(table: T, capabilities: readonly string[], said: object) =>
  entriesOf<DefaultsOf<T>>(table, ({ ofModel, neutral }, name) => {
    if (!ofModel) return undefined
    return capabilities.includes(name) ? (Reflect.get(said, name) ?? neutral) : null
  })
