/** One Ctrl-C can arrive twice: from the terminal, and passed on by npm. */
const SAME_PRESS_MS = 500

/** Turns signals into two abort signals: the first asks for an orderly stop, as does a reader of the output who leaves; a later one forces it. */
export const listenForStop = (say: (text: string) => void) => {
  const stop = new AbortController()
  const force = new AbortController()
  let firstAt = 0
  const listener = () => {
    if (!stop.signal.aborted) {
      firstAt = performance.now()
      say('Stopping; Ctrl-C again to force.')
      return stop.abort()
    }
    if (performance.now() - firstAt < SAME_PRESS_MS || force.signal.aborted) return
    say('Forcing.')
    force.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, listener)
  // These stay: what is said while it stops fails as well.
  process.stdout.on('error', () => stop.abort())
  process.stderr.on('error', () => undefined)
  return {
    stop: stop.signal,
    force: force.signal,
    dispose: () => {
      for (const signal of signals) process.off(signal, listener)
    }
  }
}
