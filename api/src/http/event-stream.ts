import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

const STALL_MS = 30_000

/** A response that sends server-sent events. */
export interface EventStream {
  /** Fires when the client is gone. */
  readonly closed: AbortSignal
  /**
   * Sends a block. Resolves when the client may be sent more, with whether that took waiting for it. At most one block
   * waits: the caller decides by then what is worth sending. A client that takes nothing for too long is dropped.
   */
  send(block: string): Promise<'at-once' | 'after-waiting'>
  /** Ends the response. */
  end(block: string): void
}

export interface EventStreamOptions {
  headers: OutgoingHttpHeaders
  heartbeatMs: number
  stallMs?: number
  /** Fires when the server begins to close: nobody is waited for any more. */
  closing?: AbortSignal
}

/** Resolves when the response takes more, or when there is no use in waiting; a client that stalls is dropped. */
const drained = (raw: ServerResponse, stallMs: number, closing: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => raw.destroy(), stallMs)
    const finish = () => {
      clearTimeout(timer)
      raw.off('drain', finish)
      raw.off('close', finish)
      closing?.removeEventListener('abort', finish)
      resolve()
    }
    raw.on('drain', finish)
    raw.on('close', finish)
    closing?.addEventListener('abort', finish)
    if (closing?.aborted) finish()
  })

/** Begins the response at once. */
export const openEventStream = (
  raw: ServerResponse,
  { headers, heartbeatMs, stallMs = STALL_MS, closing }: EventStreamOptions
): EventStream => {
  const closed = new AbortController()
  const send: EventStream['send'] = async (block) => {
    if (closed.signal.aborted || raw.write(block)) return 'at-once'
    await drained(raw, stallMs, closing)
    return 'after-waiting'
  }
  const heartbeat = setInterval(() => {
    // A client that has not taken the last block is waited for already.
    if (!raw.writableNeedDrain) void send(':\n\n')
  }, heartbeatMs)
  const close = () => {
    clearInterval(heartbeat)
    closed.abort()
  }
  raw.once('close', close)
  // Writes to a client that is just going fail; `close` follows.
  raw.on('error', () => undefined)
  raw.writeHead(200, headers)
  raw.flushHeaders()
  if (raw.destroyed) close()
  return {
    closed: closed.signal,
    send,
    end: (block) => {
      clearInterval(heartbeat)
      // What a client has not taken by now would hold the connection up for as long as it likes.
      if (raw.writableNeedDrain) raw.destroy()
      else if (!closed.signal.aborted) raw.end(block)
    }
  }
}
