import { ModelError } from '../errors.ts'
import { readManifestFile } from '../model/manifest-file.ts'
import type { Family } from './family.ts'
import type { Inspection } from './inspection.ts'
import { familyOf } from './names.ts'
import { FAMILIES } from './table.ts'

/**
 * Opens a model folder to be looked at, by the family its manifest names.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const inspectModel = async (
  folder: string,
  families: Readonly<Record<string, Pick<Family, 'inspect'>>> = FAMILIES
): Promise<Inspection> => {
  const manifest = await readManifestFile(folder)
  const name = familyOf(manifest, Object.keys(families))
  const family = families[name]
  if (!family) throw new ModelError(`There is no family ${name}.`)
  return family.inspect(folder, manifest)
}
