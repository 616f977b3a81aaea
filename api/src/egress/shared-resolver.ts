import type { NameResolver, Resolution } from './resolve.ts'

/** Requests that name the same host within this time share what name servers say. Connections ask anew. */
const KEPT_MS = 5000
const MAX_KEPT = 10_000

interface Kept {
  readonly resolution: Promise<Resolution>
  readonly askedAt: number
}

/** Resolves names for checks alone: what it says may be some seconds old, so no connection must go by it. */
export const createSharedResolver = (names: NameResolver, now = () => performance.now()) => {
  const kept = new Map<string, Kept>()
  return (name: string): Promise<Resolution> => {
    const before = kept.get(name)
    if (before && now() - before.askedAt < KEPT_MS) return before.resolution
    // Taken out first, so that the map stays in order of age.
    kept.delete(name)
    const [oldest] = kept.keys()
    if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest)
    const resolution = names.resolve(name)
    kept.set(name, { resolution, askedAt: now() })
    return resolution
  }
}
