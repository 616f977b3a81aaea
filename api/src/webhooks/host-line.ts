export interface Slot {
  /** To be called when the request has ended; a second call does nothing. */
  leave(): void
}

/** Not now, but after so long. */
export interface Parked {
  parkMs: number
}

interface HostLineOptions {
  /** Requests under way at most. */
  perHost: number
  now: () => number
  /** Told when nothing is left to remember of the host. */
  onIdle: () => void
}

const MIN_PARK_MS = 50
const MAX_PARK_MS = 600_000
/** Longest wait for a place; what a host that turns out slow has taken up of the process is free again after it. */
const MAX_WAIT_MS = 250
const SMOOTHING = 0.2
const FIRST_LATENCY_MS = 10

/** The requests to one host, and who waits to make another. */
export const createHostLine = ({ perHost, now, onIdle }: HostLineOptions) => {
  const since = now()
  /** The oldest first. */
  const underWay = new Set<{ begun: number }>()
  /** Lets each take its place; who came first is first. */
  const waiting = new Set<() => void>()
  /** Mean time of a request, the latest ones counting most. */
  let latencyMs = FIRST_LATENCY_MS
  /** Time at which the last one sent away may come back. */
  let parkedUntil = 0

  const take = (): Slot => {
    const place = { begun: now() }
    underWay.add(place)
    return {
      leave: () => {
        if (!underWay.delete(place)) return
        latencyMs += SMOOTHING * (now() - place.begun - latencyMs)
        const [next] = waiting
        if (next) next()
        else if (underWay.size === 0 && parkedUntil < now()) onIdle()
      }
    }
  }

  /** Time from one turn to the next. A request that has not ended is known to take at least as long as it has. */
  const turnMs = (): number => {
    const [oldest] = underWay
    return Math.max(latencyMs, oldest ? now() - oldest.begun : 0) / perHost
  }

  /** Nobody is sent away for longer than the host has been known: of a cold start too little is known for more. */
  const park = (): Parked => {
    const longestMs = Math.min(Math.max(now() - since, MIN_PARK_MS), MAX_PARK_MS)
    const turn = Math.max(parkedUntil, now() + waiting.size * turnMs()) + turnMs()
    parkedUntil = Math.min(turn, now() + longestMs)
    return { parkMs: Math.round(Math.max(parkedUntil - now(), MIN_PARK_MS)) }
  }

  const wait = () =>
    new Promise<Slot | Parked>((resolve) => {
      const goOn = () => {
        clearTimeout(timer)
        waiting.delete(goOn)
        resolve(take())
      }
      const timer = setTimeout(() => {
        waiting.delete(goOn)
        resolve(park())
      }, MAX_WAIT_MS)
      waiting.add(goOn)
    })

  return {
    enter: async (): Promise<Slot | Parked> => {
      if (underWay.size < perHost) return take()
      return (waiting.size + 1) * turnMs() > MAX_WAIT_MS ? park() : wait()
    },
    counts: () => ({ underWay: underWay.size, waiting: waiting.size })
  }
}
