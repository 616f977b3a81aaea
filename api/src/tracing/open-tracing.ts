import { generateImageJob, type Operation, writeTraceCarrier } from '@nextscale/openapi'
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { FastifyBaseLogger } from 'fastify'
import type { TracingConfig } from '@nextscale/platform/config'
import { loggedUrl } from '@nextscale/platform/observe'
import { exportTraces } from '@nextscale/platform/traces'
import type { RequestTrace, TracedRequest, Tracing } from './request-trace.ts'

const { queue } = generateImageJob
const propagator = new W3CTraceContextPropagator()

const carrierOf = (context: Context): string => {
  const carrier = { traceparent: '' }
  propagator.inject(context, carrier, defaultTextMapSetter)
  return writeTraceCarrier(carrier)
}

const fail = (span: Span, type: string) => span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR })

const createPublish =
  (tracer: Tracer, server: Span, inside: Context): RequestTrace['publish'] =>
  async (generation, add) => {
    server.setAttribute('nextscale.generation.id', generation)
    const attributes = {
      'messaging.system': 'bullmq',
      'messaging.operation.type': 'send',
      'messaging.destination.name': queue,
      'messaging.message.id': generation
    }
    const span = tracer.startSpan(`send ${queue}`, { kind: SpanKind.PRODUCER, attributes }, inside)
    try {
      return await add(carrierOf(trace.setSpan(inside, span)))
    } catch (error) {
      fail(span, error instanceof Error ? error.name : typeof error)
      throw error
    } finally {
      span.end()
    }
  }

const begin = (tracer: Tracer, { operationId, path: route }: Operation, request: TracedRequest): RequestTrace => {
  const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
  const attributes = {
    'http.request.method': request.method,
    'http.route': route,
    'url.path': loggedUrl(request.path),
    'nextscale.request.id': request.id
  }
  const span = tracer.startSpan(operationId, { kind: SpanKind.SERVER, attributes }, parent)
  return {
    publish: createPublish(tracer, span, trace.setSpan(parent, span)),
    end: ({ status, isAborted }) => {
      if (isAborted) span.setAttribute('nextscale.aborted', true)
      else {
        span.setAttribute('http.response.status_code', status)
        if (status >= 500) fail(span, String(status))
      }
      span.end()
    }
  }
}

/** Makes traces. Contexts are passed by hand and nothing is registered, so no library is changed by it. */
export const openTracing = (config: TracingConfig, log: FastifyBaseLogger): Tracing => {
  const { tracer, close } = exportTraces(config, log)
  return { begin: (operation, request) => begin(tracer, operation, request), close }
}
