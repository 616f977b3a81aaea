/** One server-sent event as it is on the wire. */
export interface ServerSentEvent {
  /** Its own; empty where it has none. */
  id: string
  event: string
  data: string
}

const LINE_END = /\r\n|\n|\r/

interface Pending {
  id: string
  event: string
  data: string[]
}

/** Yields whole lines; chunks may end anywhere, between CR and LF as well. */
async function* readLines(body: ReadableStream<Uint8Array>, onBytes: () => void): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let afterReturn = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes()
      const text = decoder.decode(value, { stream: true })
      if (text === '') continue
      const lines = `${rest}${afterReturn && text.startsWith('\n') ? text.slice(1) : text}`.split(LINE_END)
      afterReturn = text.endsWith('\r')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    // Whoever stops early closes the connection with it.
    await reader.cancel().catch(() => undefined)
  }
}

/**
 * Parses an event stream as the HTML standard says. An event is told of once its empty line has come: what a broken
 * connection cut off is dropped, and comes again with the next one.
 */
export async function* parseEvents(
  body: ReadableStream<Uint8Array>,
  onBytes = (): void => undefined
): AsyncGenerator<ServerSentEvent> {
  let pending: Pending = { id: '', event: '', data: [] }
  for await (const line of readLines(body, onBytes)) {
    if (line === '') {
      if (pending.data.length > 0) yield { ...pending, event: pending.event || 'message', data: pending.data.join('\n') }
      pending = { id: '', event: '', data: [] }
      continue
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') pending.event = value
    if (field === 'data') pending.data.push(value)
    if (field === 'id' && !value.includes('\0')) pending.id = value
  }
}
