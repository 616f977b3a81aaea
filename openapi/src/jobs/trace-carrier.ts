/** The W3C trace context that a job goes on in: the request's that made it. */
export interface TraceCarrier {
  traceparent: string
  tracestate?: string
}

/** As BullMQ keeps it beside a job (`opts.telemetry.metadata`), in the format that its own telemetry packages use. */
export const writeTraceCarrier = (carrier: TraceCarrier): string => JSON.stringify(carrier)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined for a job without one, and for what cannot be read: a job never fails for its trace. */
export const readTraceCarrier = (text: string | undefined): TraceCarrier | undefined => {
  const value = text === undefined ? undefined : parse(text)
  if (typeof value !== 'object' || value === null || !('traceparent' in value)) return undefined
  const { traceparent } = value
  if (typeof traceparent !== 'string') return undefined
  const tracestate = 'tracestate' in value ? value.tracestate : undefined
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) }
}
