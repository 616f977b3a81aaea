import { CAPABILITIES, type CapabilityName, type ModelCard } from '@nextscale/openapi'
import { findClass } from './find-class.ts'
import type { Requested, Settings } from './requested.ts'
import { resolvePreviews } from './resolve-previews.ts'
import { resolvePrompt } from './resolve-prompt.ts'
import { resolveSchedule } from './resolve-schedule.ts'
import { resolveSize } from './resolve-size.ts'
import { resolveStop } from './resolve-stop.ts'
import { resolveTopK } from './resolve-top-k.ts'

/**
 * How what is asked for is held against the model and put into force, where its schema and its default do not say all. Each throws a
 * problem that names the field. Those of capabilities that the model has not are not called.
 */
const RESOLVERS: { readonly [Name in CapabilityName]?: (card: ModelCard, request: Requested) => Settings[Name] } = {
  class_label: (card, request) => findClass(card, request).class_label,
  class_name: (card, request) => findClass(card, request).class_name,
  prompt: (_card, request) => resolvePrompt(request, 'prompt'),
  negative_prompt: (_card, request) => resolvePrompt(request, 'negative_prompt'),
  size: resolveSize,
  top_k: resolveTopK,
  schedule: (card, { schedule = null }) => resolveSchedule(card, schedule),
  stop_at_scale: (card, request) => resolveStop(card, request.stop_at_scale),
  previews: resolvePreviews
}

/** What is in force of a capability that its schema says all of: as asked, else the model's default, else the neutral value. */
const plainly = (name: CapabilityName, card: ModelCard, request: Requested): unknown =>
  request[name] ?? Reflect.get(card.defaults, name) ?? CAPABILITIES[name].neutral

const namesOf = (table: Record<CapabilityName, unknown>): CapabilityName[] => Object.keys(table) as CapabilityName[]
/** The entries have the types that the table says. */
const asSettings = (entries: readonly (readonly [CapabilityName, unknown])[]): Settings => Object.fromEntries(entries) as Settings

const NAMES = namesOf(CAPABILITIES)

/**
 * What is in force of all that models may honour; of what this one does not, the neutral values.
 * @throws ProblemError that names the fields it cannot honour.
 */
export const resolveSettings = (card: ModelCard, request: Requested): Settings =>
  asSettings(
    NAMES.map((name) => {
      if (!card.capabilities.includes(name)) return [name, CAPABILITIES[name].neutral]
      const resolve = RESOLVERS[name]
      return [name, resolve ? resolve(card, request) : plainly(name, card, request)]
    })
  )
