import { readManifestFile } from '../model/manifest-file.ts'
import type { Family } from './family.ts'
import type { Inspection } from './inspection.ts'
import { type FamilyName, familyOf } from './names.ts'
import { FAMILIES } from './table.ts'

/**
 * Opens a model folder to be looked at, by the family its manifest names.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const inspectModel = async (
  folder: string,
  families: Readonly<Record<FamilyName, Pick<Family, 'inspect'>>> = FAMILIES
): Promise<Inspection> => {
  const manifest = await readManifestFile(folder)
  return families[familyOf(manifest)].inspect(folder, manifest)
}
