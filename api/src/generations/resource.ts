import {
  completeInput,
  DEFAULT_POOL,
  type GenerateImagePayload,
  type Generation,
  type GenerationMetrics,
  type GenerationOutput,
  jobKindOf,
  type Preview,
  type StoredOutput,
  type StoredPreview
} from '@nextscale/openapi'
import { eventsUrl, generationUrl } from '../http/urls.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { heldUpBy } from './held-up.ts'
import { presentProgress } from './present-progress.ts'
import { expiryOf, isTerminal, type Standing } from './settle.ts'
import type { Outlook } from './estimate.ts'
import { type LiveSnapshot, payloadOf } from './snapshot.ts'
import type { StreamPass, StreamTokens } from './stream-tokens.ts'
import { webhookStateOf } from './webhook-state.ts'

export interface ViewContext {
  store: Pick<ObjectStore, 'link'>
  streamTokens: Pick<StreamTokens, 'mint'>
  /** Base of absolute URLs. */
  base: string
  /** Of a viewer without a key: what is shown lives no longer than the pass, and is what a viewer of the pictures needs. */
  pass?: StreamPass
  /** What is ahead of one that waits; absent where nobody looks at it. */
  outlook?: Outlook
}

const NO_METRICS: GenerationMetrics = {
  queue_ms: null,
  sample_ms: null,
  scale_ms: null,
  decode_ms: null,
  preview_ms: null,
  encode_ms: null,
  upload_ms: null,
  total_ms: null,
  batch_size: null
}

const timestamp = (ms: number): string => new Date(ms).toISOString()
const timestampOrNull = (ms: number | null): string | null => (ms === null ? null : timestamp(ms))

export const toOutput = async (
  { key, tokens_key: tokensKey = null, ...stored }: StoredOutput,
  notAfter: number,
  { store, base }: Pick<ViewContext, 'store' | 'base'>
): Promise<GenerationOutput> => {
  const link = await store.link(key, { base, notAfter })
  const tokensLink = tokensKey === null ? null : await store.link(tokensKey, { base, notAfter })
  return {
    ...stored,
    url: link.url,
    // The two may have been signed in different seconds.
    url_expires_at: timestamp(Math.min(link.expiresAt, tokensLink?.expiresAt ?? link.expiresAt)),
    tokens_url: tokensLink?.url ?? null
  }
}

/** When the links that are shown end at the latest. */
const linksEnd = (snapshot: LiveSnapshot, standing: Standing, { pass }: ViewContext): number =>
  Math.min(
    isTerminal(standing) ? expiryOf(snapshot, standing.at) : Number.POSITIVE_INFINITY,
    pass?.expiresAt ?? Number.POSITIVE_INFINITY
  )

const toOutputs = (snapshot: LiveSnapshot, standing: Standing, context: ViewContext): Promise<GenerationOutput[]> =>
  standing.status === 'succeeded'
    ? Promise.all(standing.outputs.map((output) => toOutput(output, linksEnd(snapshot, standing, context), context)))
    : Promise.resolve([])

const toPreview = async ({ key, ...stored }: StoredPreview, notAfter: number, { store, base }: ViewContext): Promise<Preview> => {
  const { url, expiresAt } = await store.link(key, { base, notAfter })
  return { ...stored, url, url_expires_at: timestamp(expiresAt) }
}

const toPreviews = (
  snapshot: LiveSnapshot,
  stored: readonly StoredPreview[] = [],
  standing: Standing,
  context: ViewContext
): Promise<Preview[]> => {
  const notAfter = linksEnd(snapshot, standing, context)
  const coarseToFine = stored.toSorted((a, b) => a.scale - b.scale || a.index - b.index)
  return Promise.all(coarseToFine.map((preview) => toPreview(preview, notAfter, context)))
}

const toMetrics = (createdAt: number, startedAt: number | null, standing: Standing): GenerationMetrics => ({
  ...NO_METRICS,
  ...(standing.status === 'succeeded' && standing.metrics),
  queue_ms: startedAt === null ? null : Math.max(0, startedAt - createdAt),
  total_ms: isTerminal(standing) ? Math.max(0, standing.at - createdAt) : null
})

/** What a snapshot tells, whether the job is still there or only its mark. */
const recordOf = (snapshot: LiveSnapshot) =>
  snapshot.kind === 'job'
    ? snapshot
    : {
        pool: DEFAULT_POOL,
        payload: snapshot.mark.payload,
        createdAt: snapshot.mark.created_at,
        startedAt: null,
        ahead: null,
        attempt: 0
      }

type Progress = ReturnType<typeof presentProgress>

/** Whether it was put aside for want of a runner while one that serves its model is up by now: what was written then is over. */
const isServedAgain = (snapshot: LiveSnapshot, { outlook }: ViewContext): boolean =>
  snapshot.kind === 'job' && heldUpBy(snapshot) === 'model_not_served' && outlook?.isServed(snapshot.payload.input) === true

const stageOf = (snapshot: LiveSnapshot, standing: Standing, progress: Progress, context: ViewContext): Generation['stage'] => {
  if (isTerminal(standing)) return null
  if (standing.status !== 'queued') return progress?.stage ?? null
  return progress?.stage === 'waiting_for_model' && !isServedAgain(snapshot, context) ? 'waiting_for_model' : 'queued'
}

/** What it waits for beside its turn. */
const messageOf = (snapshot: LiveSnapshot, progress: Progress, context: ViewContext): string | null => {
  const { input } = payloadOf(snapshot)
  const said = isServedAgain(snapshot, context) ? undefined : progress?.message
  if (said !== undefined) return said
  const isUnserved = context.outlook?.isServed(input) === false
  return isUnserved ? `It waits for a runner that serves revision ${input.model_revision} of ${input.model}: none is up.` : null
}

/** Its place in the queue, and what it waits for beside its turn. */
const queueOf = (snapshot: LiveSnapshot, progress: Progress, context: ViewContext): Generation['queue'] => {
  const record = recordOf(snapshot)
  const message = messageOf(snapshot, progress, context)
  // Nobody knows when that will be there.
  const eta = message === null ? (context.outlook?.etaMs(record) ?? null) : null
  return { position: record.ahead, eta_ms: eta, message }
}

/** What its owner alone sees of it, and a viewer does not. */
const ownPart = (
  snapshot: LiveSnapshot,
  standing: Standing,
  { metadata, label, owner }: GenerateImagePayload,
  { pass, streamTokens }: ViewContext
) =>
  pass === undefined
    ? { webhook: webhookStateOf(snapshot, standing), metadata, label, token: streamTokens.mint(snapshot.id, owner) }
    : { webhook: null, metadata: {}, label: null, token: pass.token }

/** Reports may be overtaken by the end: what has succeeded has all its scales. */
const shownProgress = (standing: Standing, progress: Generation['progress']): Generation['progress'] =>
  progress !== null && standing.status === 'succeeded'
    ? { ...progress, scale: progress.scales, tokens: progress.tokens_total }
    : progress

/** The public resource. Links are minted here, so every read has fresh ones. */
export const toGeneration = async (snapshot: LiveSnapshot, standing: Standing, context: ViewContext): Promise<Generation> => {
  const record = recordOf(snapshot)
  const { payload, createdAt, startedAt, attempt } = record
  const progress = presentProgress(snapshot)
  const at = isTerminal(standing) ? standing.at : null
  const isQueued = standing.status === 'queued'
  const self = generationUrl(context.base, snapshot.id)
  const { token, ...own } = ownPart(snapshot, standing, payload, context)
  return {
    id: snapshot.id,
    kind: jobKindOf(payload),
    status: standing.status,
    stage: stageOf(snapshot, standing, progress, context),
    model: payload.input.model,
    input: completeInput(payload.input),
    progress: isQueued ? null : shownProgress(standing, progress?.progress ?? null),
    queue: isQueued ? queueOf(snapshot, progress, context) : null,
    previews: await toPreviews(snapshot, progress?.previews, standing, context),
    outputs: await toOutputs(snapshot, standing, context),
    error: 'error' in standing ? standing.error : null,
    metrics: toMetrics(createdAt, startedAt, standing),
    parent: payload.parent ?? null,
    attempt,
    created_at: timestamp(createdAt),
    started_at: timestampOrNull(startedAt),
    completed_at: timestampOrNull(at),
    expires_at: timestampOrNull(at === null ? null : expiryOf(snapshot, at)),
    urls: { self, cancel: `${self}/cancel`, events: eventsUrl(self, token) },
    ...own
  }
}
