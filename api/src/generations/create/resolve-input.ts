import { randomInt } from 'node:crypto'
import {
  type ContinueRequest,
  DEADLINE_SECONDS,
  type GenerateRequest,
  type GenerationInput,
  imageFormat,
  type ModelCard,
  ONCE_OPTIONAL_CAPABILITIES,
  OPTIONAL_CAPABILITIES,
  RETENTION_SECONDS,
  UINT32_MAX
} from '@nextscale/openapi'
import { type FieldError, ProblemError } from '../../http/problem.ts'
import type { WithoutNulls } from '../../http/without-nulls.ts'
import { findClass } from '../../models/find-class.ts'
import { notServed } from '../../models/not-served.ts'
import { resolvePreviews } from './resolve-previews.ts'
import { resolveSchedule } from './resolve-schedule.ts'

const DEFAULT_QUALITY = 90

type Cards = readonly [ModelCard, ...ModelCard[]]
type Requested = WithoutNulls<GenerateRequest>

const chooseModel = (cards: Cards, id: string | undefined): ModelCard => {
  if (id === undefined) return cards[0]
  const card = cards.find((candidate) => candidate.id === id)
  if (card) return card
  throw notServed('unknown_model', id, cards, '/model')
}

const CAPABILITIES = Object.entries({ ...OPTIONAL_CAPABILITIES, ...ONCE_OPTIONAL_CAPABILITIES })

/** Whether a value asks for nothing, as the neutral one of its field does. */
const asksNothing = (value: unknown, neutral: unknown) =>
  value === undefined || value === neutral || (Array.isArray(value) && value.length === 0)

/** Refuses what a request, for a new generation or for the next of one, asks of a model that does not honour it. */
export const refuseUnsupported = (
  card: ModelCard,
  request: Requested | WithoutNulls<ContinueRequest, 'start_deadline_seconds'>
): void => {
  const errors: FieldError[] = []
  for (const [field, neutral] of CAPABILITIES) {
    const value: unknown = Reflect.get(request, field)
    if (asksNothing(value, neutral)) continue
    if (!card.unsupported.includes(field)) continue
    const mend = neutral === undefined ? 'Leave it out.' : `Leave it out, or send ${JSON.stringify(neutral)}.`
    errors.push({ pointer: `/${field}`, detail: `${card.id} does not support ${field}. ${mend}` })
  }
  if (errors.length > 0) {
    throw new ProblemError('unsupported_for_model', errors.map(({ detail }) => detail).join(' '), { errors })
  }
}

export const resolveOutput = (output: Requested['output']): GenerationInput['output'] => {
  const format = imageFormat(output?.format) ?? 'png'
  if (format === 'png' && output?.quality !== undefined) {
    const detail = 'png is lossless and has no quality. Leave quality out, or choose webp or jpeg.'
    throw new ProblemError('invalid_request', detail, { errors: [{ pointer: '/output/quality', detail }] })
  }
  return { format, quality: format === 'png' ? null : (output?.quality ?? DEFAULT_QUALITY), metadata: output?.metadata ?? true }
}

const resolveTopK = (card: ModelCard, topK: number | undefined): number => {
  if (topK === undefined) return card.defaults.top_k
  if (topK <= card.vocabulary_size) return topK
  const detail = `${card.id} has a vocabulary of ${card.vocabulary_size} tokens: top_k may be at most that, not ${topK}.`
  throw new ProblemError('out_of_range_for_model', detail, { errors: [{ pointer: '/top_k', detail }] })
}

/** The scale a draft stops after. The last one is no draft. */
export const resolveStop = ({ id, scales }: ModelCard, stop: number | null | undefined): number | null => {
  const last = scales.length - 1
  if (stop === undefined || stop === null || stop === last) return null
  if (stop < last) return stop
  const detail = `${id} has ${scales.length} scales, counted from 0: stop_at_scale may be 0 to ${last}, not ${stop}.`
  throw new ProblemError('out_of_range_for_model', detail, { errors: [{ pointer: '/stop_at_scale', detail }] })
}

export const drawSeed = (): number => randomInt(UINT32_MAX + 1)

/** Fills in every default of a request. Throws a problem that names the fields the model cannot honour. */
export const resolveInput = (request: Requested, cards: Cards, newSeed = drawSeed): GenerationInput => {
  const card = chooseModel(cards, request.model)
  refuseUnsupported(card, request)
  const { class_label, class_name } = findClass(card, request)
  return {
    model: card.id,
    model_revision: card.revision,
    class_label,
    class_name,
    num_images: request.num_images ?? 1,
    seed: request.seed ?? newSeed(),
    cfg: request.cfg ?? card.defaults.cfg,
    top_k: resolveTopK(card, request.top_k),
    top_p: request.top_p ?? card.defaults.top_p,
    output: resolveOutput(request.output),
    priority: request.priority ?? 'normal',
    smooth: request.smooth ?? false,
    schedule: resolveSchedule(card, request.schedule ?? null),
    return_tokens: request.return_tokens ?? false,
    stop_at_scale: resolveStop(card, request.stop_at_scale),
    previews: resolvePreviews(card, request),
    keep: null,
    deadline_seconds: request.deadline_seconds ?? DEADLINE_SECONDS,
    start_deadline_seconds: request.start_deadline_seconds ?? null,
    retention_seconds: request.retention_seconds ?? RETENTION_SECONDS
  }
}
