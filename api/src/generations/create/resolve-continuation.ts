import {
  type ContinueRequest,
  completeInput,
  type GenerationInput,
  imageFormat,
  type ModelCard,
  type RunnerCard
} from '@nextscale/openapi'
import { refuseUnsupported } from '../../capabilities/refuse-unsupported.ts'
import { resolvePreviews } from '../../capabilities/resolve-previews.ts'
import { resolveStop } from '../../capabilities/resolve-stop.ts'
import { ProblemError } from '../../http/problem.ts'
import type { WithoutNulls } from '../../http/without-nulls.ts'
import type { Found } from '../find.ts'
import { drawSeed, resolveOutput } from './resolve-input.ts'
import { notServed } from '../../models/not-served.ts'
import { isTerminal } from '../settle.ts'
import { payloadOf } from '../snapshot.ts'

/** Its `start_deadline_seconds` may be `null`, which is none, whatever the parent has. */
type Requested = WithoutNulls<ContinueRequest, 'start_deadline_seconds'>

const atField = (code: 'invalid_request' | 'out_of_range_for_model' | 'unsupported_for_model', pointer: string, detail: string) =>
  new ProblemError(code, detail, { errors: [{ pointer, detail }] })

const notContinuable = (detail: string) => new ProblemError('generation_not_continuable', detail)

/** The settings of a generation that can be continued. */
const parentOf = ({ snapshot, standing }: Found): GenerationInput => {
  const { id } = snapshot
  if (!isTerminal(standing))
    throw new ProblemError('generation_not_terminal', `${id} is ${standing.status}. Wait until it is done.`)
  if (standing.status !== 'succeeded') {
    throw notContinuable(`${id} is ${standing.status} and has no picture to go on from. Post a new request to /v1/generate.`)
  }
  return completeInput(payloadOf(snapshot).input)
}

/** Models there are, and runners that live. */
export interface Served {
  cards: readonly ModelCard[]
  runners: readonly RunnerCard[]
}

/** Revisions of a model that can be made: those of the runners that live, or while none of it does, the one announced last. */
const revisionsOf = (card: ModelCard, runners: readonly RunnerCard[]): string[] => {
  const live = runners.flatMap(({ models }) =>
    models.filter(({ id }) => id === card.id).map(({ revision = card.revision }) => revision)
  )
  return live.length > 0 ? [...new Set(live)] : [card.revision]
}

/** The card of the model, provided the revision that made the parent can still be made. */
const cardOf = (parent: GenerationInput, { cards, runners }: Served): ModelCard => {
  const card = cards.find(({ id }) => id === parent.model)
  if (!card) throw notServed('unknown_model', parent.model, cards)
  const revisions = revisionsOf(card, runners)
  if (revisions.includes(parent.model_revision)) return card
  throw notContinuable(
    `${parent.model} was revision ${parent.model_revision} then and is ${revisions.join(', ')} now: the same seed draws other tokens. Post a new request to /v1/generate.`
  )
}

/** Scales that are drawn when stopping after `stop`. */
const scalesUpTo = (stop: number | null, { scales }: ModelCard): number => (stop === null ? scales.length : stop + 1)

const goOn = (parent: GenerationInput, request: Requested, card: ModelCard) => {
  if (request.seed !== undefined) {
    throw atField('invalid_request', '/seed', 'seed is of the scales drawn anew: send keep_scales with it, or leave it out.')
  }
  if (parent.stop_at_scale === null) {
    throw notContinuable('This generation has all its scales: there is nothing to add. Send keep_scales to vary it.')
  }
  const stop = resolveStop(card, request.stop_at_scale)
  if (scalesUpTo(stop, card) <= scalesUpTo(parent.stop_at_scale, card)) {
    const detail = `The draft has scale ${parent.stop_at_scale} already: stop_at_scale must be more, or null.`
    throw atField('out_of_range_for_model', '/stop_at_scale', detail)
  }
  return { stop_at_scale: stop }
}

const vary = (parent: GenerationInput, request: Requested, card: ModelCard, kept: number, newSeed: () => number) => {
  // Runners that ignore deadlines are of the release that ignored `keep` as well.
  if (card.unsupported.includes('deadline_seconds')) {
    throw atField('unsupported_for_model', '/keep_scales', `${card.id} does not support keep_scales. Leave it out.`)
  }
  const most = Math.min(scalesUpTo(parent.stop_at_scale, card), card.scales.length - 1)
  if (kept > most) {
    const detail = `keep_scales may be 1 to ${most} here, not ${kept}: there must be so many, and one left to draw.`
    throw atField('out_of_range_for_model', '/keep_scales', detail)
  }
  if (parent.keep && kept > parent.keep.scales) {
    throw notContinuable(
      `This generation is a variation that kept ${parent.keep.scales} scales itself: keep_scales may be at most that, or vary another generation.`
    )
  }
  const stop = resolveStop(card, request.stop_at_scale)
  if (scalesUpTo(stop, card) <= kept) {
    const detail = `Up to scale ${stop} everything is kept: stop_at_scale must be at least ${kept}, or null.`
    throw atField('out_of_range_for_model', '/stop_at_scale', detail)
  }
  const keep = { seed: parent.keep?.seed ?? parent.seed, scales: kept }
  return { keep, seed: request.seed ?? newSeed(), stop_at_scale: stop }
}

/** Encoding as asked for, the rest of it as in the parent. A quality is of its format. */
const outputOf = ({ output: before }: GenerationInput, { output: asked }: Requested): GenerationInput['output'] => {
  if (asked === undefined) return before
  const { metadata = before.metadata } = asked
  const format = imageFormat(asked.format) ?? before.format
  const quality = asked.quality ?? (format === before.format ? before.quality : null)
  return resolveOutput({ format, metadata, ...(quality !== null && { quality }) })
}

/** Previews as asked for; else those of the parent that lie before the scale that makes the picture here. */
const previewsOf = (parent: GenerationInput, { previews }: Requested, card: ModelCard, stop: number | null): number[] => {
  if (previews !== undefined) return resolvePreviews(card, { previews, stop_at_scale: stop })
  if (card.unsupported.includes('previews')) return []
  return parent.previews.filter((scale) => scale < scalesUpTo(stop, card) - 1)
}

/**
 * The settings of a generation that continues another. Throws a problem when that one cannot be continued, or not so.
 */
export const resolveContinuation = (found: Found, request: Requested, served: Served, newSeed = drawSeed): GenerationInput => {
  const parent = parentOf(found)
  const card = cardOf(parent, served)
  refuseUnsupported(card, request)
  const kept = request.keep_scales ?? null
  const drawn = kept === null ? goOn(parent, request, card) : vary(parent, request, card, kept, newSeed)
  return {
    ...parent,
    ...drawn,
    previews: previewsOf(parent, request, card, drawn.stop_at_scale),
    output: outputOf(parent, request),
    priority: request.priority ?? parent.priority,
    return_tokens: request.return_tokens ?? parent.return_tokens,
    deadline_seconds: request.deadline_seconds ?? parent.deadline_seconds,
    start_deadline_seconds:
      request.start_deadline_seconds === undefined ? parent.start_deadline_seconds : request.start_deadline_seconds,
    retention_seconds: request.retention_seconds ?? parent.retention_seconds
  }
}
