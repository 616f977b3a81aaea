import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readCheckpoint } from '../checkpoint/read-checkpoint.ts'
import type { CheckpointRole } from '../checkpoint/read-pth.ts'
import { ModelError } from '../errors.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { type ModelShape, modelShape } from './shape.ts'
import { Weights } from './weights.ts'

/** A model folder whose manifest and tensor headers have been read and found to fit. */
export interface OpenModel {
  manifest: Manifest
  shape: ModelShape
  /** Real path of the folder that holds the weights. */
  folder: string
  tokenizer: Weights
  transformer: Weights
}

const openWeights = async (path: string, role: CheckpointRole): Promise<Weights> =>
  new Weights(path, await readCheckpoint(path, role))

/**
 * Opens a model folder: manifest, tensor headers, sizes. The weights themselves stay on disk.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const openModel = async (folder: string): Promise<OpenModel> => {
  const manifest = await readManifest(folder)
  const real = await realpath(folder)
  const tokenizer = await openWeights(join(real, manifest.files.tokenizer.path), 'tokenizer')
  const transformer = await openWeights(join(real, manifest.files.transformer.path), 'transformer')
  return { manifest, folder: real, tokenizer, transformer, shape: modelShape(manifest, tokenizer, transformer) }
}

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Holds the weights' files against the manifest's hashes.
 * @throws ModelError naming the file whose content is not the one the manifest promises.
 */
export const verifyHashes = async (model: OpenModel): Promise<void> => {
  for (const { path, sha256: expected } of Object.values(model.manifest.files)) {
    const file = join(model.folder, path)
    // The runtime refuses external data outside the folder, so a link that leaves it would fail later and less clearly.
    if (dirname(await realpath(file)) !== model.folder) throw new ModelError(`${file} is a link that leaves its model folder.`)
    const actual = await sha256(file)
    if (actual !== expected) {
      throw new ModelError(
        `${basename(model.folder)}/${path} has sha256 ${actual}, but the manifest says ${expected}: fetch the file again.`
      )
    }
  }
}
