import type { Generation } from '@nextscale/openapi'
import { find, type Found } from './find.ts'
import type { GenerationReader } from './reader.ts'
import { toGeneration, type ViewContext } from './resource.ts'
import type { StreamPass } from './stream-tokens.ts'

export interface SharedView {
  find(owner: string, id: string): Promise<Found>
  /** As whoever has a key sees it, or as a pass lets it be seen. */
  show(found: Found, base: string, pass?: StreamPass): Promise<Generation>
}

/**
 * One look at a generation for all streams that are woken by the same event. Looks are shared within a turn of the event
 * loop alone, so none is older than what woke whoever asks.
 */
export const createSharedView = (reader: GenerationReader, context: Omit<ViewContext, 'base' | 'pass'>): SharedView => {
  const looks = new Map<string, Promise<Found>>()
  const shown = new WeakMap<Found, Map<string, Promise<Generation>>>()
  return {
    find: (owner, id) => {
      const key = `${owner} ${id}`
      const known = looks.get(key)
      if (known) return known
      const look = find(reader, owner, id)
      looks.set(key, look)
      setImmediate(() => looks.delete(key))
      return look
    },
    show: (found, base, pass) => {
      const key = `${base} ${pass?.token ?? ''}`
      const views = shown.get(found) ?? new Map<string, Promise<Generation>>()
      shown.set(found, views)
      const view = views.get(key) ?? toGeneration(found.snapshot, found.standing, { ...context, base, ...(pass && { pass }) })
      views.set(key, view)
      return view
    }
  }
}
