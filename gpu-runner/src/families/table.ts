import type { Family } from './family.ts'
import type { FamilyName } from './names.ts'
import type { VarOpening } from './var/opening.ts'

/** The families, by the name in a manifest. What a process does not use of them it does not load. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  var: {
    open: async (folder, manifest) => (await import('./var/serve-model.ts')).serveModel(folder, manifest),
    inspect: async (folder, manifest) => (await import('./var/inspect.ts')).inspectVar(folder, manifest),
    openSampler: async (opening: VarOpening, form) => (await import('./var/open-sampler.ts')).openSampler(opening, form)
  }
}
