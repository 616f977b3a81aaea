import type { ServerResponse } from 'node:http'

/** Runs some work under a signal that fires when the client is gone or the server is closing. */
export const underSignal = async <T>(
  { raw }: { raw: ServerResponse },
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  const ended = new AbortController()
  const end = () => ended.abort()
  raw.once('close', end)
  closing.addEventListener('abort', end, { once: true })
  // Whoever went away before has closed without a word to come.
  if (closing.aborted || raw.destroyed) end()
  try {
    return await work(ended.signal)
  } finally {
    raw.off('close', end)
    closing.removeEventListener('abort', end)
  }
}
