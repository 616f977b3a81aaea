import { randomInt } from 'node:crypto'
import {
  DEADLINE_SECONDS,
  type GenerationInput,
  imageFormat,
  type ModelCard,
  RETENTION_SECONDS,
  UINT32_MAX
} from '@nextscale/openapi'
import { refuseUnsupported } from '../../capabilities/refuse-unsupported.ts'
import type { Requested } from '../../capabilities/requested.ts'
import { resolveSettings } from '../../capabilities/resolve-settings.ts'
import { ProblemError } from '../../http/problem.ts'
import { notServed } from '../../models/not-served.ts'

const DEFAULT_QUALITY = 90

type Cards = readonly [ModelCard, ...ModelCard[]]

const chooseModel = (cards: Cards, id: string | undefined): ModelCard => {
  if (id === undefined) return cards[0]
  const card = cards.find((candidate) => candidate.id === id)
  if (card) return card
  throw notServed('unknown_model', id, cards, '/model')
}

export const resolveOutput = (output: Requested['output']): GenerationInput['output'] => {
  const format = imageFormat(output?.format) ?? 'png'
  if (format === 'png' && output?.quality !== undefined) {
    const detail = 'png is lossless and has no quality. Leave quality out, or choose webp or jpeg.'
    throw new ProblemError('invalid_request', detail, { errors: [{ pointer: '/output/quality', detail }] })
  }
  return { format, quality: format === 'png' ? null : (output?.quality ?? DEFAULT_QUALITY), metadata: output?.metadata ?? true }
}

export const drawSeed = (): number => randomInt(UINT32_MAX + 1)

/** Fills in every default of a request. Throws a problem that names the fields the model cannot honour. */
export const resolveInput = (request: Requested, cards: Cards, newSeed = drawSeed): GenerationInput => {
  const card = chooseModel(cards, request.model)
  refuseUnsupported(card, request)
  return {
    model: card.id,
    model_revision: card.revision,
    num_images: request.num_images ?? 1,
    seed: request.seed ?? newSeed(),
    ...resolveSettings(card, request),
    output: resolveOutput(request.output),
    priority: request.priority ?? 'normal',
    keep: null,
    deadline_seconds: request.deadline_seconds ?? DEADLINE_SECONDS,
    start_deadline_seconds: request.start_deadline_seconds ?? null,
    retention_seconds: request.retention_seconds ?? RETENTION_SECONDS
  }
}
