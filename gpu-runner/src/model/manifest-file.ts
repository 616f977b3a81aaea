import { join } from 'node:path'
import { MODEL_ID_PATTERN } from '@nextscale/openapi'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { readJson } from '../checkpoint/read-json.ts'
import { ModelError } from '../errors.ts'

export const MANIFEST_FILE = 'manifest.json'
/** Twenty thousand names take some 600 KB. */
export const MAX_MANIFEST_BYTES = 2 ** 20

const closed = { additionalProperties: false } as const
/** Weights lie beside the manifest: a name with a slash could leave the folder. */
const FILE_NAME = '^[A-Za-z0-9][A-Za-z0-9._-]*$'
const hashed = { path: Type.String({ pattern: FILE_NAME }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }
/** A checkpoint; one in shards is its `*.index.json`, and the shards are listed with it. */
export const FileEntry = Type.Object(
  { ...hashed, shards: Type.Optional(Type.Array(Type.Object(hashed, closed), { minItems: 1, maxItems: 1_024 })) },
  closed
)
export type FileEntry = Static<typeof FileEntry>

/** A file beside the manifest, and the hash of its content. */
export type HashedFile = Pick<FileEntry, 'path' | 'sha256'>

const Files = Compile(Type.Object({ files: Type.Record(Type.String(), FileEntry) }))

/** Whether a file of that name can lie beside a manifest. */
export const isFileName = (name: string): boolean => new RegExp(FILE_NAME).test(name) && name !== MANIFEST_FILE

/** What every model folder says of itself; each family adds its own. */
export const commonFields = {
  manifest_version: Type.Literal(1),
  id: Type.String({ pattern: MODEL_ID_PATTERN }),
  name: Type.String({ minLength: 1 }),
  description: Type.Optional(Type.String()),
  revision: Type.String({ minLength: 1 }),
  license: Type.String({ minLength: 1 })
}

/** A manifest that has been read, and is not yet known to be one. */
export interface ManifestFile {
  path: string
  /** JSON */
  content: unknown
}

/**
 * Reads `manifest.json` of a model folder.
 * @throws ModelError when there is none, or it is not JSON.
 */
export const readManifestFile = async (folder: string): Promise<ManifestFile> => {
  const path = join(folder, MANIFEST_FILE)
  const content = await readJson(path, MAX_MANIFEST_BYTES).catch((error: unknown) => {
    throw error instanceof ModelError ? new ModelError(`${folder} is not a model folder: ${error.message}`) : error
  })
  return { path, content }
}

/** What a compiled schema says of a value. */
interface Validator<T> {
  Check(value: unknown): value is T
  Errors(value: unknown): Iterable<{ keyword: string; instancePath: string; message: string }>
}

/**
 * The manifest, when it is as its family's schema says.
 * @throws ModelError naming the field at fault.
 */
export const parseManifest = <T>(validator: Validator<T>, { path, content }: ManifestFile): T => {
  if (validator.Check(content)) return content
  const [first] = validator.Errors(content)
  // A field that is not in the schema is reported as one whose schema is `false`.
  const complaint = first?.keyword === 'boolean' ? 'is not a field of a manifest' : first?.message
  throw new ModelError(`${path}: ${first?.instancePath || 'the manifest'} ${complaint ?? 'does not match the format'}.`)
}

/**
 * All files that a manifest lists, shards included: those of every family are under `files`.
 * @throws ModelError naming the field at fault.
 */
export const listedFiles = (manifest: ManifestFile): HashedFile[] =>
  Object.values(parseManifest(Files, manifest).files).flatMap(({ shards = [], ...entry }) => [entry, ...shards])
