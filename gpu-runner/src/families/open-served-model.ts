import { ModelError } from '../errors.ts'
import { readManifestFile } from '../model/manifest-file.ts'
import type { FamilyTable, ServedModel } from './family.ts'
import { familyOf } from './names.ts'
import { FAMILIES } from './table.ts'

/**
 * Opens a model folder by the family its manifest names. The weights themselves stay on disk.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const openServedModel = async (folder: string, families: FamilyTable = FAMILIES): Promise<ServedModel> => {
  const manifest = await readManifestFile(folder)
  const name = familyOf(manifest, Object.keys(families))
  const family = families[name]
  if (!family) throw new ModelError(`There is no family ${name}.`)
  return family.open(folder, manifest)
}
