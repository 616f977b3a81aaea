import { readManifestFile } from '../model/manifest-file.ts'
import type { ServedModel } from './family.ts'
import { familyOf } from './names.ts'
import { FAMILIES } from './table.ts'

/**
 * Opens a model folder by the family its manifest names. The weights themselves stay on disk.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const openServedModel = async (folder: string): Promise<ServedModel> => {
  const manifest = await readManifestFile(folder)
  return FAMILIES[familyOf(manifest)].open(folder, manifest)
}
