/** A signal that fires with the caller's, or when no renewal came in time. */
export interface Deadline {
  signal: AbortSignal
  /** Whether time ran out, and not the caller's patience. */
  hasPassed(): boolean
  renew(): void
  stop(): void
}

export const startDeadline = (timeoutMs: number, outer?: AbortSignal): Deadline => {
  const controller = new AbortController()
  let passed = false
  const pass = () => {
    passed = true
    controller.abort(new Error(`nothing came for ${timeoutMs} ms`))
  }
  const follow = () => controller.abort(outer?.reason)
  let timer = setTimeout(pass, timeoutMs)
  if (outer?.aborted) follow()
  else outer?.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    hasPassed: () => passed,
    renew: () => {
      clearTimeout(timer)
      timer = setTimeout(pass, timeoutMs)
    },
    stop: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', follow)
    }
  }
}
