import type { FastifyRequest } from 'fastify'

/** Names under which polyfills of EventSource send it, since a page cannot set the header of a native one. */
const NAMES = ['lastEventId', 'last_event_id'] as const

/** Puts a `Last-Event-ID` of the query where the contract has it; a header that is sent stays. */
export const takeLastEventId = ({ query, headers }: FastifyRequest): void => {
  if (typeof query !== 'object' || query === null) return
  for (const name of NAMES) {
    const values: unknown[] = [Reflect.get(query, name)].flat()
    const last = values.at(-1)
    Reflect.deleteProperty(query, name)
    if (typeof last === 'string') headers['last-event-id'] ??= last
  }
}
