import { type ModelCard, type RedisKeys, type RunnerCard, StoredCard, toModelCard } from '@nextscale/openapi'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import { jsonParserOf } from '../contract/parser.ts'
import { onRedis } from '../redis/errors.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'
import { notServed } from './not-served.ts'

const FRESH_MS = 500
/** Runners announce every 30 s: a card this much older than the newest is of a model they no longer serve. */
const RETIRED_AFTER_MS = 5 * 60_000

const parseStored = jsonParserOf(StoredCard)

/** A card as a runner of this release or of the one before announced it. */
const parseCard = (text: string): ModelCard | undefined => {
  const stored = parseStored(text)
  return stored && toModelCard(stored)
}

export interface ModelRegistry {
  /**
   * Cards of all announced models, the default first. At most half a second old. Of a model's revisions that runners which live
   * offer it is the newest, the one first announced last; while none lives, the one announced last.
   */
  cards(): Promise<readonly ModelCard[]>
}

interface RegistryOptions {
  redis: Redis
  keys: RedisKeys
  runners: Pick<RunnerRegistry, 'cards'>
  defaultModel: string | undefined
  log: FastifyBaseLogger
  now?: () => number
}

const compareIds = (a: ModelCard, b: ModelCard) => (a.id < b.id ? -1 : 1)

/** The lowest place that a model has among those that a runner which lives serves; what the last one announced while none does. */
const orderOf = ({ id, order }: ModelCard, runners: readonly RunnerCard[]): number => {
  const places = runners.map(({ models }) => models.findIndex((model) => model.id === id)).filter((place) => place >= 0)
  return places.length > 0 ? Math.min(...places) : order
}

const announcedAt = (card: ModelCard) => Date.parse(card.announced_at)

interface Order {
  defaultModel: string | undefined
  runners: readonly RunnerCard[]
  /** When a card's revision was first announced, in Unix ms. */
  since: ReadonlyMap<string, number>
}

/**
 * The default first: the configured one, else of those that runners still announce the one of the lowest place in `MODELS`, of several the
 * one that has been there longest. All runners announce in turn, so that nothing may depend on who did so last.
 */
const ordered = (cards: readonly ModelCard[], { defaultModel, runners, since }: Order): ModelCard[] => {
  // Measured against the newest card and not the clock: while no runner is up all are old, and none is retired.
  const newestAt = cards.reduce((newest, card) => Math.max(newest, announcedAt(card)), 0)
  const isDefault = (card: ModelCard) => Number(card.id === defaultModel)
  const isRetired = (card: ModelCard) => Number(newestAt - announcedAt(card) > RETIRED_AFTER_MS)
  const place = (card: ModelCard) => orderOf(card, runners)
  const first = ({ id, revision }: ModelCard) => since.get(`${id}@${revision}`) ?? Number.POSITIVE_INFINITY
  return cards.toSorted(
    (a, b) =>
      isDefault(b) - isDefault(a) ||
      isRetired(a) - isRetired(b) ||
      place(a) - place(b) ||
      // Not a difference: two that are infinite have none.
      Math.sign(first(a) === first(b) ? 0 : first(a) - first(b)) ||
      compareIds(a, b)
  )
}

/** Revisions of a model that runners which live offer: of several that one of them serves, the first. */
const offeredOf = ({ id, revision }: ModelCard, runners: readonly RunnerCard[]): string[] =>
  // Runners of the release before this one do not say which they serve.
  runners.flatMap(({ models }) => models.find((model) => model.id === id) ?? []).map((model) => model.revision ?? revision)

/** When each `<model>@<revision>` was first announced, in Unix ms. */
const sinceOf = (flat: readonly string[]): ReadonlyMap<string, number> =>
  new Map(Array.from({ length: flat.length / 2 }, (_, place) => [flat[2 * place] ?? '', Number(flat[2 * place + 1])]))

/** What runners announce in Redis, cached; concurrent readers share one look. */
export const createModelRegistry = ({
  redis,
  keys,
  runners,
  defaultModel,
  log,
  now = Date.now
}: RegistryOptions): ModelRegistry => {
  let parsed = new Map<string, { text: string; card: ModelCard | undefined }>()
  let cached: { cards: readonly ModelCard[]; readAt: number } | undefined
  let pending: Promise<readonly ModelCard[]> | undefined

  const parseOnce = (field: string, text: string) => {
    const known = parsed.get(field)
    if (known?.text === text) return known
    const card = parseCard(text)
    const usable = card?.id === field ? card : undefined
    // Said once per bad announcement, not on every look.
    if (usable === undefined)
      log.warn({ model: field }, 'A runner announced a model card that cannot be read; the model is left out')
    return { text, card: usable }
  }

  /** Of the revisions that are served, the newest; runners of each announce theirs in turn, and the last to do so may be gone. */
  const served = async (card: ModelCard, live: readonly RunnerCard[], since: ReadonlyMap<string, number>): Promise<ModelCard> => {
    const newest = (revision: string) => since.get(`${card.id}@${revision}`) ?? 0
    const [revision] = offeredOf(card, live).toSorted((a, b) => newest(b) - newest(a))
    if (revision === undefined || revision === card.revision) return card
    const text = await onRedis(() => redis.get(keys.modelRevision(card.id, revision)))
    return (text === null ? undefined : parseCard(text)) ?? card
  }

  const read = async () => {
    const look = () => Promise.all([redis.hgetall(keys.models), redis.zrange(keys.revisions, '0', '-1', 'WITHSCORES')])
    const [texts, revisions] = await onRedis(look)
    const announced = Object.entries(texts)
    parsed = new Map(announced.map(([field, text]) => [field, parseOnce(field, text)]))
    const live = await runners.cards()
    const last = [...parsed.values()].flatMap(({ card }) => card ?? [])
    const since = sinceOf(revisions)
    const current = await Promise.all(last.map((card) => served(card, live, since)))
    const cards = ordered(current, { defaultModel, runners: live, since })
    // Having none is not kept: the first announcement is what everybody waits for.
    cached = cards.length > 0 ? { cards, readAt: now() } : undefined
    return cards
  }

  return {
    async cards() {
      if (cached && now() - cached.readAt < FRESH_MS) return cached.cards
      pending ??= read().finally(() => (pending = undefined))
      return pending
    }
  }
}

/** The cards, or the problem of having none. */
export const requireCards = async (registry: ModelRegistry): Promise<readonly [ModelCard, ...ModelCard[]]> => {
  const [first, ...others] = await registry.cards()
  if (first) return [first, ...others]
  throw new ProblemError(
    'no_models',
    'No runner has announced a model. Start a gpu-runner on the same Redis and prefix, or wait until it is ready.'
  )
}

export const requireCard = async (registry: ModelRegistry, id: string): Promise<ModelCard> => {
  const cards = await registry.cards()
  const card = cards.find((candidate) => candidate.id === id)
  if (card) return card
  throw notServed('model_not_found', id, cards)
}
