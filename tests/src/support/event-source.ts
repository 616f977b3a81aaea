import type { GenerationEventName } from '@nextscale/openapi'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ServerEvent {
  id: string
  event: GenerationEventName
  data: Record<string, unknown>
}

const RECONNECT_MS = 100

const parseBlock = (block: string): ServerEvent | undefined => {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
  const { id, event, data } = Object.fromEntries(fields) as Partial<Record<string, string>>
  if (id === undefined || event === undefined || data === undefined) return undefined
  return { id, event: event as GenerationEventName, data: JSON.parse(data) as Record<string, unknown> }
}

/** Events of one connection, until it ends or breaks. Parses the wire format as a browser does. */
export async function* connectOnce(url: string, lastEventId?: string): AsyncGenerator<ServerEvent> {
  const response = await fetch(url, { headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } })
  if (response.status === 204) return
  // Redis cannot be reached now: as good as a connection that broke.
  if (response.status === 503) throw new TypeError('unavailable')
  if (response.status !== 200 || !response.body) throw new Error(`${response.status}: ${await response.text()}`)
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body) {
    const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const event of blocks.map(parseBlock)) if (event) yield event
  }
}

/**
 * Events up to `end`, as an EventSource hears them: whenever the connection is lost, it connects again where it was. It does
 * so after a 503 as well, which a browser's own does not.
 */
export async function* eventSource(url: string, timeoutMs = 60_000): AsyncGenerator<ServerEvent> {
  const deadline = Date.now() + timeoutMs
  let last: string | undefined
  while (Date.now() < deadline) {
    try {
      for await (const event of connectOnce(url, last)) {
        last = event.id
        yield event
        if (event.event === 'end') return
      }
    } catch (error) {
      // A connection that broke or was refused; any other problem ends it.
      if (!(error instanceof TypeError)) throw error
    }
    await sleep(RECONNECT_MS)
  }
  throw new Error(`no end within ${timeoutMs} ms`)
}

/** All events up to `end`. */
export const hearAll = async (events: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> => {
  const heard: ServerEvent[] = []
  for await (const event of events) heard.push(event)
  return heard
}
