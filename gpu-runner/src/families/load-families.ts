import type { FamilyTable } from './family.ts'

/** The module of the table of the families that are shipped. */
export const SHIPPED_FAMILIES = new URL('./table.ts', import.meta.url).href

const isTable = (value: unknown): value is FamilyTable =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((family: unknown) => typeof family === 'object' && family !== null && 'open' in family)

/**
 * Imports a table of families, in whichever process needs it.
 * @throws TypeError when the module exports none as `FAMILIES`.
 */
export const loadFamilies = async (module: string): Promise<FamilyTable> => {
  const { FAMILIES }: { FAMILIES?: unknown } = await import(module)
  if (isTable(FAMILIES)) return FAMILIES
  throw new TypeError(`${module} exports no table of families as FAMILIES`)
}
