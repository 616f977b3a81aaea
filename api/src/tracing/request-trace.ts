import type { Operation } from '@nextscale/openapi'

/** The part of a trace that one request is. */
export interface RequestTrace {
  /** Runs what adds a generation to the queue, as a span whose context goes along as the carrier. */
  publish<T>(generation: string, add: (carrier: string) => Promise<T>): Promise<T>
  /** The request is answered, or its client has gone away. */
  end(response: { status: number; isAborted: boolean }): void
}

/** What is told of a request: nothing of its body, its query or its key. */
export interface TracedRequest {
  id: string
  method: string
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Tracing {
  /** Begins the span of a request, in the caller's trace if its headers name one. */
  begin(operation: Operation, request: TracedRequest): RequestTrace
  /** Delivers what is left, as far as the collector takes it in time. */
  close(): Promise<void>
}
