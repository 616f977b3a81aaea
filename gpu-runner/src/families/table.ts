import type { FamilyTable } from './family.ts'
import type { VarOpening } from './var/opening.ts'

/** The families that are shipped. What a process does not use of them it does not load. */
export const FAMILIES = {
  var: {
    open: async (folder, manifest) => (await import('./var/serve-model.ts')).serveModel(folder, manifest),
    inspect: async (folder, manifest) => (await import('./var/inspect.ts')).inspectVar(folder, manifest),
    openSampler: async (opening: VarOpening, form) => (await import('./var/open-sampler.ts')).openSampler(opening, form)
  }
} satisfies FamilyTable
