import Type, { type Static } from 'typebox'
import { completeDefaults } from '../capabilities/derive.ts'
import { CAPABILITIES, type CapabilityName } from '../capabilities/table.ts'
import { ONCE_OPTIONAL } from './generate-request.ts'
import { announced, type Model, ModelDefaults } from './model.ts'
import { nullable, Timestamp } from './primitives.ts'

const ofRunner = {
  order: Type.Integer({
    minimum: 0,
    description: 'Position in the runner’s `MODELS`; the lowest still announced is the default.'
  }),
  announced_at: Timestamp('When a runner last announced it.')
}

/** What a runner announces in Redis about a model it serves. What follows from it is not in it. */
export const AnnouncedCard = Type.Object({
  ...announced,
  classes: nullable(Type.Array(Type.String()), 'Name of class i at index i; `null` where the model has none to choose from.'),
  defaults: Type.Partial(Type.Object(ModelDefaults.properties), { description: 'Defaults of its own, by capability.' }),
  ...ofRunner
})
export type AnnouncedCard = Static<typeof AnnouncedCard>

/** What the family of a model says of it. */
export interface FamilyCard extends Omit<AnnouncedCard, 'order' | 'announced_at' | 'capabilities'> {
  capabilities: readonly CapabilityName[]
}

const { family: _family, sizes: _sizes, scales: _scales, capabilities: _capabilities, ...common } = announced

/** What runners of the release before this one announce: there was one family, whose pictures and token maps are square. */
const EarlierCard = Type.Object({
  ...common,
  vocabulary_size: Type.Integer({ minimum: 2 }),
  resolution: Type.Integer({ minimum: 1 }),
  scales: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1 }),
  defaults: Type.Object({ cfg: Type.Number(), top_k: Type.Integer(), top_p: Type.Number() }),
  unsupported: Type.Array(Type.String()),
  classes: Type.Array(Type.String()),
  ...ofRunner
})
type EarlierCard = Static<typeof EarlierCard>

/** What is found in Redis. */
export const StoredCard = Type.Union([AnnouncedCard, EarlierCard])

/** A model as the API knows it: the public resource, and what only requests are held against. */
export interface ModelCard extends Omit<Model, 'default' | 'pools'> {
  classes: readonly string[] | null
  order: number
  announced_at: string
}

/** What the release before this one knew of. */
const EARLIER_CAPABILITIES = [
  'class_label',
  'class_name',
  'cfg',
  'top_k',
  'top_p',
  'smooth',
  'schedule',
  'stop_at_scale',
  'previews',
  'return_tokens'
] as const satisfies readonly CapabilityName[]

const square = (side: number) => ({ height: side, width: side })

const asAnnounced = ({ resolution, scales, unsupported, ...card }: EarlierCard): AnnouncedCard => ({
  ...card,
  family: 'var',
  sizes: [square(resolution)],
  scales: scales.map(square),
  capabilities: EARLIER_CAPABILITIES.filter((name) => !unsupported.includes(name))
})

/** A card as it was announced, completed by what follows from it. What a later release knows of beside is left out. */
export const toModelCard = (stored: AnnouncedCard | EarlierCard): ModelCard => {
  const { id, name, description, revision, license, family, sizes, scales, vocabulary_size, parameters, ...card } =
    'family' in stored ? stored : asAnnounced(stored)
  const { classes, order, announced_at } = card
  const names = Object.keys(CAPABILITIES)
  const capabilities = names.filter((capability) => card.capabilities.includes(capability))
  const alsoUnsupported = 'unsupported' in stored ? ONCE_OPTIONAL.filter((field) => stored.unsupported.includes(field)) : []
  return {
    id,
    name,
    description,
    revision,
    license,
    family,
    width: sizes[0]?.width ?? 0,
    height: sizes[0]?.height ?? 0,
    sizes,
    scales,
    tokens_per_image: scales.reduce((sum, { height, width }) => sum + height * width, 0),
    vocabulary_size,
    num_classes: classes && classes.length,
    parameters,
    capabilities,
    defaults: completeDefaults(CAPABILITIES, capabilities, card.defaults),
    unsupported: [...names.filter((capability) => !capabilities.includes(capability)), ...alsoUnsupported],
    classes,
    order,
    announced_at
  }
}
