import { createHostLine, type Parked, type Slot } from './host-line.ts'

export interface HostSlots {
  /**
   * A place among the requests to a host: at once, or when one is free within a moment. Otherwise says for how long to stay
   * away, by how fast the host has been lately.
   */
  enter(host: string): Promise<Slot | Parked>
  /** Requests under way, and deliveries that wait for their place. */
  counts(): { underWay: number; waiting: number }
}

interface HostSlotsOptions {
  /** Requests under way to one host at most. */
  perHost: number
  now?: () => number
}

/** Bounds what one host takes up of a process, so that a slow one delays nobody else. */
export const createHostSlots = ({ perHost, now = Date.now }: HostSlotsOptions): HostSlots => {
  const lines = new Map<string, ReturnType<typeof createHostLine>>()

  const open = (host: string) => {
    const line = lines.get(host) ?? createHostLine({ perHost, now, onIdle: () => lines.delete(host) })
    lines.set(host, line)
    return line
  }

  return {
    enter: (host) => open(host).enter(),
    counts: () => {
      const all = [...lines.values()].map((line) => line.counts())
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
      return { underWay: sum(all.map(({ underWay }) => underWay)), waiting: sum(all.map(({ waiting }) => waiting)) }
    }
  }
}
