import type { ModelCard } from '@nextscale/openapi'

const SEPARATORS = /[\p{Z}\p{Pd}\p{Pc}\p{Cc}\p{Cf}\p{DI}\u2800]+/gu

/** A name as it is, less case and the width of characters. */
const plain = (name: string): string => name.normalize('NFKC').trim().toLowerCase()

/**
 * A name as names are compared: also without what words are set apart by: spaces of any width, hyphens, underscores, and what
 * nobody sees. A name of nothing else is compared as it is.
 */
export const normalName = (name: string): string => {
  const text = plain(name)
  return text.replaceAll(SEPARATORS, '') || text
}

interface Names {
  /** By label. */
  normal: readonly string[]
  labels: ReadonlyMap<string, readonly number[]>
}

const namesOfCard = new WeakMap<ModelCard, Names>()

/** Built once per card: a thousand classes are too many to go through for each request. */
const namesOf = (card: ModelCard): Names => {
  const known = namesOfCard.get(card)
  if (known) return known
  const normal = (card.classes ?? []).map(normalName)
  const built = { normal, labels: Map.groupBy(normal.keys(), (label) => normal[label] ?? '') }
  namesOfCard.set(card, built)
  return built
}

/** Labels of the classes of a name: of those spelt exactly so, else of those that differ in case and width alone, else of all. */
export const labelsNamed = (card: ModelCard, name: string): readonly number[] => {
  const labels = namesOf(card).labels.get(normalName(name)) ?? []
  const spelt = (spell: (text: string) => string) => labels.filter((label) => spell(card.classes?.[label] ?? '') === spell(name))
  return [spelt((text) => text), spelt(plain), labels].find((found) => found.length > 0) ?? []
}

/** Labels of the classes whose name contains the text. */
export const labelsContaining = (card: ModelCard, text: string): number[] => {
  const wanted = normalName(text)
  return namesOf(card).normal.flatMap((name, label) => (name.includes(wanted) ? [label] : []))
}
