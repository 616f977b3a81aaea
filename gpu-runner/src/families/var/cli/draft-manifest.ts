import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { MODEL_ID_PATTERN } from '@nextscale/openapi'
import { inferResolution, inferScales, publishedSize } from '../model/infer-shape.ts'
import type { Manifest } from '../model/manifest.ts'
import type { FileEntry } from '../../../model/manifest-file.ts'
import { PUBLISHED_DEFAULTS } from '../model/published.ts'
import { type ModelShape, modelShape } from '../model/shape.ts'
import { WrongCommandLine } from '../../../cli/command.ts'
import type { PlannedModel, PlannedWeights } from './plan-weights.ts'
import { readClasses } from './read-classes.ts'

/** What the user says of a model; the rest is inferred. */
export interface Wishes {
  id?: string | undefined
  name?: string | undefined
  license?: string | undefined
  scales?: readonly number[] | undefined
  classes?: string | undefined
}

const REVISION_LENGTH = 12
const UNSTATED_LICENSE = 'unspecified'

const fileEntry = ({ file, shards }: PlannedWeights, hashOf: (name: string) => string): FileEntry => {
  const entry = ({ name }: { name: string }) => ({ path: name, sha256: hashOf(name) })
  return { ...entry(file), ...(shards.length > 0 && { shards: shards.map(entry) }) }
}

/** An id from the file's name: `My Model.index.json` becomes `my-model`. */
const idFromFile = (path: string): string =>
  basename(path)
    .toLowerCase()
    .replace(/\.index\.json$/, '')
    .replace(/\.(pth|pt|bin|safetensors)$/, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')

const chooseId = (given: string | undefined, inferred: string): string => {
  const isId = (id: string) => new RegExp(MODEL_ID_PATTERN).test(id)
  if (given !== undefined && !isId(given)) {
    throw new WrongCommandLine(`--id must have lower-case letters, digits, ".", "_" and "-", at most 64, not "${given}".`)
  }
  if (isId(given ?? inferred)) return given ?? inferred
  throw new WrongCommandLine('An id cannot be made of the name of the --var file: give one as --id.')
}

/**
 * The manifest of a model, its hashes still empty, and its sizes. What the user does not say comes from the tensors.
 * @throws ModelError or CommandError in one sentence when parts do not fit together or something must be said.
 */
export const draftManifest = async (
  { tokenizer, transformer }: PlannedModel,
  wishes: Wishes
): Promise<{ manifest: Manifest; shape: ModelShape }> => {
  const scales = [...(await inferScales(transformer.weights, wishes.scales))]
  const resolution = inferResolution(tokenizer.weights, scales)
  const vocabulary = tokenizer.weights.size('quantize.embedding.weight', [null, null], 0)
  const classCount = transformer.weights.size('class_emb.weight', [null, null], 0) - 1
  const unhashed = () => ''
  const draft: Manifest = {
    manifest_version: 1,
    id: wishes.id ?? '',
    name: wishes.name ?? '',
    revision: '',
    license: wishes.license ?? UNSTATED_LICENSE,
    resolution,
    scales,
    classes: await readClasses(classCount, wishes.classes),
    defaults: { ...PUBLISHED_DEFAULTS, top_k: Math.min(PUBLISHED_DEFAULTS.top_k, vocabulary) },
    files: { tokenizer: fileEntry(tokenizer, unhashed), transformer: fileEntry(transformer, unhashed) }
  }
  const shape = modelShape({ ...draft, id: 'The model' }, tokenizer.weights, transformer.weights)
  const size = publishedSize(shape)
  const id = chooseId(wishes.id, size ? `var-${size}` : idFromFile(transformer.file.source))
  const name = wishes.name ?? (size && wishes.id === undefined ? `VAR-${size}` : id)
  return { manifest: { ...draft, id, name }, shape }
}

/** The manifest with the files' hashes and the revision that follows from them. */
export const finishManifest = (manifest: Manifest, model: PlannedModel, hashes: ReadonlyMap<string, string>): Manifest => {
  const hashOf = (name: string) => hashes.get(name) ?? ''
  const files = { tokenizer: fileEntry(model.tokenizer, hashOf), transformer: fileEntry(model.transformer, hashOf) }
  const revision = createHash('sha256')
    .update(JSON.stringify([files, manifest.scales]))
    .digest('hex')
  return { ...manifest, revision: revision.slice(0, REVISION_LENGTH), files }
}
