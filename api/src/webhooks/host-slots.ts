export interface HostSlots {
  /**
   * A place among the requests to a host: at once, or once one is free. With too many waiting, says for how long to
   * stay away, by how fast the host has been lately.
   */
  enter(host: string): Promise<Slot> | { parkMs: number }
  /** Requests under way, and deliveries that wait for their place. */
  counts(): { underWay: number; waiting: number }
}

export interface Slot {
  leave(): void
}

interface Host {
  underWay: number
  waiting: (() => void)[]
  /** Mean time of a request, the latest ones counting most. */
  latencyMs: number
  /** Time at which the last one sent away may come back. */
  parkedUntil: number
}

const MIN_PARK_MS = 50
const MAX_PARK_MS = 600_000
const SMOOTHING = 0.2
const FIRST_LATENCY_MS = 100

interface HostSlotsOptions {
  /** Requests under way to one host at most; as many again may wait. */
  perHost: number
  now?: () => number
}

/** Bounds what one host takes up of a process, so that a slow one delays nobody else. */
export const createHostSlots = ({ perHost, now = Date.now }: HostSlotsOptions): HostSlots => {
  const hosts = new Map<string, Host>()

  const open = (name: string): Host => {
    const host = hosts.get(name) ?? { underWay: 0, waiting: [], latencyMs: FIRST_LATENCY_MS, parkedUntil: 0 }
    hosts.set(name, host)
    return host
  }

  const slotOf = (name: string, host: Host): Slot => {
    const begun = now()
    return {
      leave: () => {
        host.latencyMs += SMOOTHING * (now() - begun - host.latencyMs)
        const next = host.waiting.shift()
        if (next) return next()
        host.underWay -= 1
        if (host.underWay === 0 && host.parkedUntil < now()) hosts.delete(name)
      }
    }
  }

  const park = (host: Host): number => {
    const shareMs = host.latencyMs / perHost
    host.parkedUntil = Math.max(host.parkedUntil, now() + host.waiting.length * shareMs) + shareMs
    return Math.round(Math.min(Math.max(host.parkedUntil - now(), MIN_PARK_MS), MAX_PARK_MS))
  }

  return {
    enter: (name) => {
      const host = open(name)
      if (host.underWay < perHost) {
        host.underWay += 1
        return Promise.resolve(slotOf(name, host))
      }
      if (host.waiting.length >= perHost) return { parkMs: park(host) }
      // Whoever leaves hands its place over.
      return new Promise((resolve) => host.waiting.push(() => resolve(slotOf(name, host))))
    },
    counts: () => {
      let underWay = 0
      let waiting = 0
      for (const host of hosts.values()) {
        underWay += host.underWay
        waiting += host.waiting.length
      }
      return { underWay, waiting }
    }
  }
}
