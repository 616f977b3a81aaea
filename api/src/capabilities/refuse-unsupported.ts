import { CAPABILITIES, type ContinueRequest, type ModelCard, nameOfSize, nothingOf, ONCE_OPTIONAL } from '@nextscale/openapi'
import { type FieldError, ProblemError } from '../http/problem.ts'
import { shown } from '../http/shown.ts'
import type { WithoutNulls } from '../http/without-nulls.ts'
import type { Requested } from './requested.ts'

/** What a request says that asks for nothing, by field; `undefined` where only leaving it out does. */
const NOTHING = new Map<string, unknown>([
  ...Object.entries(CAPABILITIES).map(([name, capability]) => [name, nothingOf(capability)] as const),
  ...ONCE_OPTIONAL.map((field) => [field, undefined] as const)
])

/** What asks for nothing of one model, and may be sent to it. */
const OWN: Readonly<Record<string, ((card: ModelCard) => unknown) | undefined>> = { size: nameOfSize }

/** How a model is without a capability, where that is more than not to take the field. */
const WITHOUT: Readonly<Record<string, ((card: ModelCard) => string) | undefined>> = {
  size: (card) => `draws pictures of ${nameOfSize(card)} alone`
}

export const whatItTakes = ({ capabilities }: ModelCard): string =>
  capabilities.length === 0 ? 'none of what others may' : capabilities.join(', ')

const withoutOf = (card: ModelCard, field: string) => WITHOUT[field]?.(card) ?? `takes no ${field}`

const refusal = (card: ModelCard, pointer: string, field: string, instead: unknown): FieldError => {
  const send = instead === undefined ? '' : `, or send ${shown(instead)}`
  return { pointer, detail: `${card.id} ${withoutOf(card, field)}; it takes ${whatItTakes(card)}. Leave ${field} out${send}.` }
}

/** Several fields in one sentence, which says of each what is said of it alone. */
const summary = (card: ModelCard, fields: readonly string[]): string => {
  const { own = [], plain = [] } = Object.groupBy(fields, (field) => (field in WITHOUT ? 'own' : 'plain'))
  const takesNo = plain.length === 0 ? [] : [`takes ${plain.map((field) => `no ${field}`).join(', ')}`]
  const all = [...takesNo, ...own.map((field) => withoutOf(card, field))].join(' and ')
  return `${card.id} ${all}; it takes ${whatItTakes(card)}. Leave them out.`
}

/** Settings per scale that the model has not. */
const refusedPerScale = (card: ModelCard, schedule: Requested['schedule']): FieldError[] =>
  Object.keys(schedule ?? {})
    .filter((name) => card.unsupported.includes(name))
    .map((name) => refusal(card, `/schedule/${name}`, name, undefined))

/** Refuses what a request, for a new generation or for the next of one, asks of a model that does not honour it. */
export const refuseUnsupported = (
  card: ModelCard,
  request: Requested | WithoutNulls<ContinueRequest, 'start_deadline_seconds'>
): void => {
  const errors = [...NOTHING].flatMap(([field, nothing]): FieldError[] => {
    const value: unknown = Reflect.get(request, field)
    const instead = OWN[field]?.(card) ?? nothing
    const asksNothing = value === undefined || value === instead || (Array.isArray(value) && value.length === 0)
    if (asksNothing) return []
    if (card.unsupported.includes(field)) return [refusal(card, `/${field}`, field, instead)]
    return field === 'schedule' && 'schedule' in request ? refusedPerScale(card, request.schedule) : []
  })
  const [first, ...others] = errors
  if (!first) return
  const fields = errors.map(({ pointer }) => pointer.slice(1).replaceAll('/', '.'))
  const detail = others.length === 0 ? first.detail : summary(card, fields)
  throw new ProblemError('unsupported_for_model', detail, { errors })
}
