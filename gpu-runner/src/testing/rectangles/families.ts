import type { FamilyTable } from '../../families/family.ts'
import { FAMILIES as SHIPPED } from '../../families/table.ts'
import type { RectanglesOpening } from './manifest.ts'

/** The shipped families, and the one of rectangles. */
export const FAMILIES = {
  ...SHIPPED,
  rectangles: {
    open: async (folder, manifest) => (await import('./serve-model.ts')).serveModel(folder, manifest),
    openSampler: async (opening: RectanglesOpening) => (await import('./open-sampler.ts')).openSampler(opening)
  }
} satisfies FamilyTable
