import type { FamilyTable } from '../../families/family.ts'
import { FAMILIES as SHIPPED } from '../../families/table.ts'
import type { RectanglesOpening } from './manifest.ts'

/** The shipped families, and the one of rectangles. */
export const FAMILIES = {
  ...SHIPPED,
  rectangles: {
    open: async (folder, manifest) => (await import('./serve-model.ts')).serveModel(folder, manifest),
    inspect: async (folder, manifest) => {
      const model = await (await import('./serve-model.ts')).serveModel(folder, manifest)
      const { name, sizes } = model.card('step')
      const facts = async () => ({ sizes: sizes.map(({ width, height }) => `${width} x ${height}`).join(', ') })
      return { model, name, facts, check: async ({ say }) => say('rectangles', 'there is nothing that could be wrong') }
    },
    openSampler: async (opening: RectanglesOpening) => (await import('./open-sampler.ts')).openSampler(opening)
  }
} satisfies FamilyTable
