import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readCheckpoint } from '../../../checkpoint/read-checkpoint.ts'
import { CHECKPOINT_PARTS, type CheckpointRole } from './checkpoint-parts.ts'
import { ModelError } from '../../../errors.ts'
import { hashFile } from '../../../model/hash-file.ts'
import type { HashedFile } from '../../../model/manifest-file.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { type ModelShape, modelShape } from './shape.ts'
import { Weights } from '../../../model/weights.ts'

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
  new Weights(path, await readCheckpoint(path, CHECKPOINT_PARTS[role]))

/**
 * Opens a model folder whose manifest has been read: tensor headers, sizes. The weights themselves stay on disk.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const openDescribed = async (folder: string, manifest: Manifest): Promise<OpenModel> => {
  const real = await realpath(folder)
  const tokenizer = await openWeights(join(real, manifest.files.tokenizer.path), 'tokenizer')
  const transformer = await openWeights(join(real, manifest.files.transformer.path), 'transformer')
  return { manifest, folder: real, tokenizer, transformer, shape: modelShape(manifest, tokenizer, transformer) }
}

/**
 * Opens a folder that should hold a VAR model.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const openModel = async (folder: string): Promise<OpenModel> => openDescribed(folder, await readManifest(folder))

/** Hashes of files by their real paths: one that is listed under many names is read once. */
type Hashes = Map<string, string>

const verifyHash = async (folder: string, { path, sha256 }: HashedFile, hashes: Hashes): Promise<void> => {
  const file = join(folder, path)
  const real = await realpath(file).catch(() => {
    throw new ModelError(`${file} is missing, but the manifest lists it.`)
  })
  // The runtime refuses external data outside the folder, so a link that leaves it would fail later and less clearly.
  if (dirname(real) !== folder) throw new ModelError(`${file} is a link that leaves its model folder.`)
  const actual = hashes.get(real) ?? (await hashFile(real))
  hashes.set(real, actual)
  if (actual === sha256) return
  throw new ModelError(`${basename(folder)}/${path} has sha256 ${actual}, but the manifest says ${sha256}: fetch the file again.`)
}

/** Weights in a file without a hash could be anything. */
const refuseUnlisted = ({ folder }: OpenModel, role: CheckpointRole, weights: Weights, listed: readonly HashedFile[]): void => {
  const paths = new Set(listed.map(({ path }) => join(folder, path)))
  for (const { name, file } of weights.tensors.values()) {
    if (paths.has(file)) continue
    throw new ModelError(
      `${folder}: tensor ${name} is in ${basename(file)}, which has no hash: list it in files.${role}.shards of the manifest.`
    )
  }
}

/**
 * Holds the weights' files, shards included, against the manifest's hashes.
 * @throws ModelError naming the file whose content is not the one the manifest promises.
 */
export const verifyHashes = async (model: OpenModel): Promise<void> => {
  const hashes: Hashes = new Map()
  for (const role of ['tokenizer', 'transformer'] as const) {
    const { shards = [], ...entry } = model.manifest.files[role]
    const listed = [entry, ...shards]
    refuseUnlisted(model, role, model[role], listed)
    for (const file of listed) await verifyHash(model.folder, file, hashes)
  }
}

/** Files that hold its tensors. */
export const filesOf = ({ tokenizer, transformer }: OpenModel): string[] => [
  ...new Set([tokenizer, transformer].flatMap(({ tensors }) => [...tensors.values()].map(({ file }) => file)))
]

/** Says which weights a model has, by the hashes its manifest promises. */
export const weightsIdentity = ({ manifest }: OpenModel): string => JSON.stringify([manifest.files, manifest.scales])
