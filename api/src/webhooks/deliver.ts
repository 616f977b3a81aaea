import { DeliverWebhookPayload, type DeliverWebhookResult, type WebhookEvent } from '@nextscale/openapi'
import { DelayedError, type Job, UnrecoverableError } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import { Compile } from 'typebox/compile'
import type { WebhooksConfig } from '../config-webhooks.ts'
import type { Egress } from '../egress/egress.ts'
import { goneAttempt, makeAttempt } from './attempt.ts'
import { buildEvent, type EventContext } from './build-event.ts'
import { decideRetry, type Decision } from './decide-retry.ts'
import type { DeliveryMetrics } from './delivery-metrics.ts'
import type { Slot } from './host-line.ts'
import type { HostSlots } from './host-slots.ts'
import { putByEvent } from './put-by-event.ts'
import type { WebhookSecrets } from './secrets.ts'
import { signatureHeaders } from './sign.ts'
import type { SigningKey } from './signing-keys.ts'

export interface DeliverContext extends EventContext {
  config: WebhooksConfig
  egress: Egress
  secrets: WebhookSecrets
  signingKeys: readonly SigningKey[]
  slots: HostSlots
  metrics: DeliveryMetrics
  /** The name under which requests introduce themselves. */
  userAgent: string
  log: FastifyBaseLogger
  random?: () => number
}

/** Thrown to BullMQ for an attempt that is to be made again. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  readonly delayMs: number

  constructor(reason: string, delayMs: number) {
    super(reason)
    this.delayMs = delayMs
  }
}

/** Attempts to announce what is no end of a generation, after which it is of no use. */
const LIVE_ATTEMPTS = 3
/** When a delivery is looked at again that could not be looked at now. */
const AGAIN_MS = 5000

const Payload = Compile(DeliverWebhookPayload)

const parsePayload = (data: unknown): DeliverWebhookPayload => {
  if (Payload.Check(data)) return data
  const [first] = Payload.Errors(data)
  throw new UnrecoverableError(`This release does not understand the delivery: ${first?.instancePath} ${first?.message}.`)
}

/** Puts a delivery back without using up an attempt. */
const putBack = async (job: Job, token: string | undefined, delayMs: number): Promise<never> => {
  await job.moveToDelayed(Date.now() + delayMs, token)
  throw new DelayedError()
}

const send = async (
  context: DeliverContext,
  id: string,
  payload: DeliverWebhookPayload,
  event: WebhookEvent,
  signal: AbortSignal
) => {
  const { egress, secrets, signingKeys, config, userAgent } = context
  const body = JSON.stringify(event)
  const message = { id, timestamp: Math.floor(Date.now() / 1000), body }
  const signature = signatureHeaders(
    message,
    await secrets.signing(payload.owner),
    signingKeys.map(({ privateKey }) => privateKey)
  )
  const headers = { 'content-type': 'application/json', 'user-agent': userAgent, ...signature }
  return makeAttempt(egress, { url: payload.url, headers, body, timeoutMs: config.timeoutMs, signal })
}

const delaysOf = ({ config }: DeliverContext, { event }: DeliverWebhookPayload): readonly number[] =>
  event === null ? config.retryDelaysMs : config.retryDelaysMs.slice(0, LIVE_ATTEMPTS - 1)

/** What BullMQ is to do with the job. */
const conclude = (decision: Decision, type: WebhookEvent['type'], reason: string): DeliverWebhookResult => {
  switch (decision.kind) {
    case 'done':
      return { outcome: 'delivered', event: type }
    case 'give-up':
      throw new UnrecoverableError(reason)
    case 'retry':
      throw new RetryLater(reason, decision.delayMs)
  }
}

interface UnderWay {
  job: Job
  payload: DeliverWebhookPayload
  slot: Slot
  signal: AbortSignal
}

const deliverEvent = async (context: DeliverContext, { job, payload, slot, signal }: UnderWay, event: WebhookEvent) => {
  const { metrics, log, random = Math.random } = context
  const id = job.id ?? ''
  const { attempt, retryAfterMs } = await send(context, id, payload, event, signal)
  // What is left to do is no matter of the host, and the next one need not wait for it.
  slot.leave()
  await job.log(JSON.stringify(attempt))
  metrics.attempted(attempt, event.type)
  const { outcome, status_code: statusCode } = attempt
  const made = { outcome, statusCode, retryAfterMs, attempt: job.attemptsMade + 1 }
  const decision = decideRetry(made, delaysOf(context, payload), random())
  const { host } = new URL(payload.url)
  log.info(
    {
      delivery: id,
      generation: payload.generation_id,
      host,
      event: event.type,
      outcome,
      status: statusCode,
      decision: decision.kind
    },
    'webhook attempt'
  )
  if (decision.kind === 'retry') {
    // The next failed attempt puts it aside as well as this one: the schedule goes on.
    await putByEvent(context, job, payload, event).catch((error: unknown) =>
      log.warn({ err: error, delivery: id }, 'an event was not put aside')
    )
  }
  return conclude(decision, event.type, attempt.error ?? `The receiver answered ${statusCode}.`)
}

const deliverGone = async (
  { metrics }: DeliverContext,
  job: Job,
  payload: DeliverWebhookPayload,
  reason: string
): Promise<never> => {
  const attempt = goneAttempt(reason)
  await job.log(JSON.stringify(attempt))
  const { kept, ...rest } = payload
  if (kept) await job.updateData(rest)
  metrics.attempted(attempt, payload.event ?? 'unknown')
  throw new UnrecoverableError(reason)
}

/** Announces one event to one receiver: once, with what is true now. BullMQ hands it over again until it is done with. */
export const deliver = async (
  context: DeliverContext,
  job: Job,
  token: string | undefined,
  signal: AbortSignal
): Promise<DeliverWebhookResult> => {
  const payload = parsePayload(job.data)
  const slot = await context.slots.enter(new URL(payload.url).host)
  if ('parkMs' in slot) {
    context.metrics.parked()
    return putBack(job, token, slot.parkMs)
  }
  try {
    const built = await buildEvent(context, { payload, createdAt: job.timestamp })
    switch (built.kind) {
      case 'skip':
        return { outcome: 'skipped', event: built.event }
      case 'gone':
        return await deliverGone(context, job, payload, built.reason)
      case 'early':
        return await putBack(job, token, AGAIN_MS)
      case 'send':
        return await deliverEvent(context, { job, payload, slot, signal }, built.event)
    }
  } catch (error) {
    if (error instanceof RetryLater || error instanceof UnrecoverableError || error instanceof DelayedError) throw error
    context.log.warn({ err: error, delivery: job.id }, 'a delivery could not be made; it is looked at again')
    return putBack(job, token, AGAIN_MS)
  } finally {
    slot.leave()
  }
}
