/**
 * Runs some work and rejects as soon as its time is up or the signal fires, whatever the work does then.
 * @throws DOMException named TimeoutError; the reason of the signal
 */
export const underDeadline = async <T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  const ended = new AbortController()
  const expire = () => ended.abort(new DOMException(`It took longer than ${timeoutMs} ms.`, 'TimeoutError'))
  const cut = () => ended.abort(signal?.reason)
  signal?.throwIfAborted()
  const { promise: over, reject } = Promise.withResolvers<never>()
  ended.signal.addEventListener('abort', () => reject(ended.signal.reason), { once: true })
  signal?.addEventListener('abort', cut, { once: true })
  const timer = setTimeout(expire, timeoutMs)
  try {
    return await Promise.race([over, work(ended.signal)])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cut)
  }
}
