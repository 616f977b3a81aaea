import { ConnectionError, NextscaleError } from '../errors.ts'
import type { GenerationEvent } from '../generated/contract.ts'
import { retryDelayMs } from '../transport/retry-delay.ts'
import { sleep } from '../transport/sleep.ts'
import type { Call, Opened, Transport } from '../transport/transport.ts'
import { parseEvents, type ServerSentEvent } from './parse-events.ts'
import { generationPath } from './path.ts'
import { createTeller } from './tell-pictures.ts'

export interface EventsOptions {
  /** Go on after the event with this id; without it the first event is a snapshot. */
  lastEventId?: string | undefined
  signal?: AbortSignal | undefined
}

const NAMES: readonly string[] = [
  'snapshot',
  'status',
  'progress',
  'preview',
  'output',
  'end'
] satisfies GenerationEvent['event'][]
/** A stream that is silent for so long is dead: the server sends comments meanwhile. */
const SILENCE_MS = 60_000
/** Answered to who has had `end`. */
const NOTHING_LEFT = 204

/** The event with its data parsed, the one place where its type is taken on trust; `undefined` for names of later releases. */
const toEvent = ({ id, event, data }: ServerSentEvent): GenerationEvent | undefined =>
  NAMES.includes(event) ? ({ id, event, data: JSON.parse(data) } as GenerationEvent) : undefined

const bodyOf = ({ response }: Opened): ReadableStream<Uint8Array> => {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (isStream && response.body) return response.body
  // Unread, it would hold the connection.
  void response.body?.cancel()
  throw new NextscaleError({
    code: 'invalid_answer',
    detail: `${response.url} did not answer with an event stream: is the URL that of Nextscale?`,
    status: response.status
  })
}

/** The events of one connection, until it ends; `undefined` where there will be no more. */
async function* readConnection(transport: Transport, call: Call): AsyncGenerator<GenerationEvent | undefined> {
  const opened = await transport.open(call)
  try {
    if (opened.response.status === NOTHING_LEFT) return yield undefined
    for await (const sent of parseEvents(bodyOf(opened), () => opened.deadline.renew())) {
      const event = toEvent(sent)
      if (event) yield event
    }
  } catch (error) {
    throw opened.fail(error)
  } finally {
    opened.deadline.stop()
  }
}

const ended = () =>
  new ConnectionError({ code: 'connection_failed', detail: 'The server ended the stream before its end.', retryable: true })

/**
 * Follows a generation over as many connections as it takes: after a break, or an end of the stream without `end`, it goes on after the
 * last event received. Each event comes once, and each preview and output: those of the snapshot follow it. It gives up when `maxRetries` connections after another brought nothing new.
 */
export async function* events(
  transport: Transport,
  id: string,
  { lastEventId = '', signal }: EventsOptions = {}
): AsyncGenerator<GenerationEvent, void> {
  const seen = new Set<string>()
  const tell = createTeller()
  let last = lastEventId
  for (let fruitless = 0; ; fruitless++) {
    const headers = { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) }
    let failure: unknown = ended()
    try {
      for await (const event of readConnection(transport, {
        path: `${generationPath(id)}/events`,
        headers,
        signal,
        timeoutMs: SILENCE_MS
      })) {
        if (event === undefined) return
        if (event.id && seen.has(event.id) && event.event !== 'end') continue
        if (event.id) seen.add((last = event.id))
        fruitless = 0
        yield* tell(event)
        if (event.event === 'end') return
      }
    } catch (error) {
      failure = error
    }
    if (signal?.aborted) throw signal.reason
    const delayMs = retryDelayMs(failure, { attempt: fruitless, maxRetries: transport.maxRetries })
    if (delayMs === null) throw failure
    await sleep(delayMs, signal)
  }
}
