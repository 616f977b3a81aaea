import { generateImageJob, readTraceCarrier } from '@nextscale/openapi'
import { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { AttemptOutcome, AttemptRecord, Observer } from './observer.ts'
import { phasesOf } from './phases.ts'

const { queue } = generateImageJob
const propagator = new W3CTraceContextPropagator()

const ERRORS: ReadonlySet<AttemptOutcome> = new Set(['failed', 'retried', 'lost'])

const attributesOf = ({ generation, model, images, attempt, outcome, code, queuedAt, begunAt }: AttemptRecord) => ({
  'messaging.system': 'bullmq',
  'messaging.operation.type': 'process',
  'messaging.destination.name': queue,
  'messaging.message.id': generation,
  'nextscale.generation.id': generation,
  'nextscale.model': model ?? undefined,
  'nextscale.num_images': images,
  'nextscale.attempt': attempt,
  'nextscale.outcome': outcome,
  'nextscale.queue_ms': begunAt - queuedAt,
  'error.type': code ?? undefined
})

/** A span for each attempt, in the trace of the request that asked for it, made once the attempt is over. */
export const traceAttempts = (tracer: Tracer): Observer => ({
  batch: () => undefined,
  attempt: (record) => {
    const { begunAt, endedAt, outcome, scalesAt, carrier } = record
    const parent = propagator.extract(ROOT_CONTEXT, readTraceCarrier(carrier), defaultTextMapGetter)
    const options = { kind: SpanKind.CONSUMER, startTime: begunAt, attributes: attributesOf(record) }
    const span = tracer.startSpan(`process ${queue}`, options, parent)
    const inside = trace.setSpan(parent, span)
    for (const { name, from, to } of phasesOf(record)) {
      const child = tracer.startSpan(name, { startTime: from }, inside)
      if (name === 'sampling') scalesAt.forEach((at, scale) => child.addEvent('scale', { 'nextscale.scale': scale }, at))
      child.end(to)
    }
    if (ERRORS.has(outcome)) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(endedAt)
  }
})
