import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { ModelError } from '../../../errors.ts'
import { commonFields, FileEntry, type ManifestFile, parseManifest, readManifestFile } from '../../../model/manifest-file.ts'
import { familyOf } from '../../names.ts'
import { PRECISIONS } from '../../../sampler/sampler-form.ts'

const closed = { additionalProperties: false } as const

/** What a request may name; normalising a name takes the square of its length. */
export const MAX_CLASS_NAME_LENGTH = 200

/** What a folder of a VAR model says of itself. Sizes are not here: they come from the tensors. */
export const Manifest = Type.Object(
  {
    ...commonFields,
    family: Type.Optional(Type.Literal('var')),
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
 * The manifest of a VAR model.
 * @throws ModelError naming the field at fault.
 */
export const parseVarManifest = (file: ManifestFile): Manifest => {
  const manifest = parseManifest(validator, file)
  refuseLongNames(file.path, manifest)
  return manifest
}

/**
 * Reads `manifest.json` of a folder that should hold a VAR model.
 * @throws ModelError naming the field at fault.
 */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const file = await readManifestFile(folder)
  // One of a family that there is none of is named as such.
  familyOf(file, ['var'])
  return parseVarManifest(file)
}
