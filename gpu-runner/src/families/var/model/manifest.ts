import { join } from 'node:path'
import { MODEL_ID_PATTERN } from '@nextscale/openapi'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { readJson } from '../../../checkpoint/read-json.ts'
import { ModelError } from '../../../errors.ts'

export const MANIFEST_FILE = 'manifest.json'
/** The names of twenty thousand classes take some 600 KB. */
const MAX_MANIFEST_BYTES = 2 ** 20

const closed = { additionalProperties: false } as const
/** Weights lie beside the manifest: a name with a slash could leave the folder. */
const FILE_NAME = '^[A-Za-z0-9][A-Za-z0-9._-]*$'
const hashed = { path: Type.String({ pattern: FILE_NAME }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }
/** A checkpoint; one in shards is its `*.index.json`, and the shards are listed with it. */
const FileEntry = Type.Object(
  { ...hashed, shards: Type.Optional(Type.Array(Type.Object(hashed, closed), { minItems: 1, maxItems: 1_024 })) },
  closed
)
export type FileEntry = Static<typeof FileEntry>

/** Whether a file of that name can lie beside a manifest. */
export const isFileName = (name: string): boolean => new RegExp(FILE_NAME).test(name) && name !== MANIFEST_FILE

/** Numbers a model is computed with on a CPU; `int8` is quicker and a little less exact. */
export const PRECISIONS = ['fp32', 'int8'] as const
export type Precision = (typeof PRECISIONS)[number]

/** What a request may name; normalising a name takes the square of its length. */
export const MAX_CLASS_NAME_LENGTH = 200

/** What a model folder says of itself. Sizes are not here: they come from the tensors. */
export const Manifest = Type.Object(
  {
    manifest_version: Type.Literal(1),
    id: Type.String({ pattern: MODEL_ID_PATTERN }),
    name: Type.String({ minLength: 1 }),
    description: Type.Optional(Type.String()),
    revision: Type.String({ minLength: 1 }),
    license: Type.String({ minLength: 1 }),
    resolution: Type.Integer({ minimum: 1 }),
    scales: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 2, maxItems: 64 }),
    classes: Type.Array(Type.String({ minLength: 1 })),
    defaults: Type.Object(
      {
        cfg: Type.Number({ minimum: 0, maximum: 20 }),
        top_k: Type.Integer({ minimum: 0 }),
        top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1 })
      },
      closed
    ),
    /** What runners use that are not told otherwise; fp32 when absent. */
    precision: Type.Optional(Type.Union(PRECISIONS.map((precision) => Type.Literal(precision)))),
    /** Share of the convolution in phi; the published tokenizer has one half. */
    quant_resi: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    files: Type.Object({ tokenizer: FileEntry, transformer: FileEntry }, closed)
  },
  closed
)
export type Manifest = Static<typeof Manifest>

const validator = Compile(Manifest)

const refuseLongNames = (path: string, { classes }: Manifest): void => {
  const label = classes.findIndex(({ length }) => length > MAX_CLASS_NAME_LENGTH)
  if (label < 0) return
  throw new ModelError(
    `${path}: /classes/${label} has ${classes[label]?.length} characters, and the name of a class may have ${MAX_CLASS_NAME_LENGTH}.`
  )
}

/**
 * Reads `manifest.json` of a model folder.
 * @throws ModelError naming the field at fault.
 */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const path = join(folder, MANIFEST_FILE)
  const manifest = await readJson(path, MAX_MANIFEST_BYTES).catch((error: unknown) => {
    throw error instanceof ModelError ? new ModelError(`${folder} is not a model folder: ${error.message}`) : error
  })
  if (validator.Check(manifest)) {
    refuseLongNames(path, manifest)
    return manifest
  }
  const [first] = validator.Errors(manifest)
  // A field that is not in the schema is reported as one whose schema is `false`.
  const complaint = first?.keyword === 'boolean' ? 'is not a field of a manifest' : first?.message
  throw new ModelError(`${path}: ${first?.instancePath || 'the manifest'} ${complaint ?? 'does not match the format'}.`)
}
