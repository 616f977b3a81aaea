import type { ManifestFile } from '../../model/manifest-file.ts'
import type { ServedModel } from '../family.ts'
import { modelCard } from './card.ts'
import { memoryBytes } from './memory-bytes.ts'
import { parseVarManifest } from './model/manifest.ts'
import { filesOf, type OpenModel, openDescribed, verifyHashes } from './model/open-model.ts'
import { toOpening } from './opening.ts'
import { planGeneration } from './plan-generation.ts'

/** A model that is open, as the runner knows it. */
export const toServedModel = (model: OpenModel): ServedModel => {
  const { id, revision } = model.manifest
  return {
    id,
    revision,
    family: 'var',
    opening: toOpening(model),
    files: filesOf(model),
    verifyHashes: () => verifyHashes(model),
    memoryBytes: (form) => memoryBytes(model, form),
    card: (form) => modelCard(model, form),
    plan: (input, form) => planGeneration(input, model, form)
  }
}

/**
 * Opens a folder of a VAR model for the runner.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const serveModel = async (folder: string, manifest: ManifestFile): Promise<ServedModel> =>
  toServedModel(await openDescribed(folder, parseVarManifest(manifest)))
