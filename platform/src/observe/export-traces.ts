import { setTimeout as sleep } from 'node:timers/promises'
import type { Tracer } from '@opentelemetry/api'
import { ExportResultCode } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import type { TracingConfig } from '../config/index.ts'
import type { Log } from './log.ts'
import { loggedText } from './logged-text.ts'
import { VERSION } from './version.ts'

const EXPORT_INTERVAL_MS = 1_000
/** Retries included. It also bounds how long a collector that does not answer holds up the end of the process. */
const EXPORT_TIMEOUT_MS = 3_000

const reasonOf = (error: Error | undefined): string => loggedText(error?.message || error?.name || 'no answer')

/** Says once that spans cannot be delivered, and once that they are again. */
const telling = (exporter: SpanExporter, log: Log): SpanExporter => {
  let isFailing = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.code !== ExportResultCode.SUCCESS
        if (hasFailed && !isFailing)
          log.warn({ reason: reasonOf(result.error) }, 'Traces cannot be exported: see to OTEL_EXPORTER_OTLP_ENDPOINT')
        if (!hasFailed && isFailing) log.info('Traces are exported again')
        isFailing = hasFailed
        done(result)
      }),
    shutdown: () => exporter.shutdown()
  }
}

/** Ends with the work, or when that takes longer than a moment. */
const withinTime = async (work: Promise<unknown>, ms: number): Promise<void> => {
  const over = new AbortController()
  const deadline = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), deadline])
  over.abort()
}

/** Sends finished spans in the background. What the collector does not take is dropped. */
export const exportTraces = ({ url, serviceName, share }: TracingConfig, log: Log) => {
  const exporter = telling(new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS }), log)
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName, 'service.version': VERSION })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: EXPORT_INTERVAL_MS })]
  })
  const tracer: Tracer = provider.getTracer('nextscale', VERSION)
  return { tracer, close: () => withinTime(provider.shutdown(), EXPORT_TIMEOUT_MS) }
}
