import type { GenerateRequest, ModelCard } from '@nextscale/openapi'
import { nearest } from '../http/nearest.ts'
import { ProblemError } from '../http/problem.ts'
import { shown } from '../http/shown.ts'
import { labelsNamed, normalName } from './class-names.ts'

export interface ChosenClass {
  class_label: number | null
  class_name: string | null
}

const UNCONDITIONAL: ChosenClass = { class_label: null, class_name: null }

const chosen = (card: ModelCard, label: number): ChosenClass => ({
  class_label: label,
  class_name: card.classes?.[label] ?? null
})

const problem = (code: 'unknown_class' | 'ambiguous_class' | 'invalid_request', detail: string, ...pointers: string[]) =>
  new ProblemError(code, detail, { errors: pointers.map((pointer) => ({ pointer, detail })) })

const checkLabel = (card: ModelCard, label: number): void => {
  const count = card.num_classes ?? 0
  if (label < count) return
  const range = count === 0 ? `${card.id} has no classes: leave class_label out.` : `${card.id} has classes 0 to ${count - 1}.`
  throw problem('unknown_class', `There is no class ${label}. ${range}`, '/class_label')
}

const unknownName = (card: ModelCard, name: string): ProblemError => {
  const similar = nearest(name, card.classes ?? [], { normal: normalName })
  const hint = similar.length > 0 ? `The nearest: ${similar.map(shown).join(', ')}.` : 'None is like it.'
  const search = `GET /v1/models/${card.id}/classes?q= searches them.`
  return problem('unknown_class', `${card.id} has no class named ${shown(name)}. ${hint} ${search}`, '/class_name')
}

const nameOf = (card: ModelCard, label: number) => shown(card.classes?.[label] ?? null)

const ambiguousName = (card: ModelCard, name: string, labels: readonly number[]): ProblemError => {
  const meant = labels.map((label) => `${label} (${nameOf(card, label)})`).join(', ')
  const detail = `${shown(name)} may be any of the classes ${meant} of ${card.id}. Send the class_label of the one you mean.`
  return problem('ambiguous_class', detail, '/class_name')
}

/** Finds the class a request asks for, by label, by name, or by both if they agree. Throws a problem otherwise. */
export const findClass = (card: ModelCard, request: Pick<GenerateRequest, 'class_label' | 'class_name'>): ChosenClass => {
  const label = request.class_label ?? null
  const name = request.class_name ?? null
  if (label !== null) checkLabel(card, label)
  if (name === null) return label === null ? UNCONDITIONAL : chosen(card, label)
  const labels = labelsNamed(card, name)
  const [first] = labels
  if (first === undefined) throw unknownName(card, name)
  if (label !== null) {
    if (labels.includes(label)) return chosen(card, label)
    const detail = `Class ${label} of ${card.id} is ${nameOf(card, label)}, not ${shown(name)}. Send one of the two.`
    throw problem('unknown_class', detail, '/class_label', '/class_name')
  }
  if (labels.length === 1) return chosen(card, first)
  throw ambiguousName(card, name, labels)
}
