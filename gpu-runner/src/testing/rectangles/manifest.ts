import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { commonFields, type ManifestFile, parseManifest } from '../../model/manifest-file.ts'

const Manifest = Type.Object(
  {
    ...commonFields,
    family: Type.Literal('rectangles'),
    /** What a scale takes at least, so that a generation can be met on its way. */
    scale_ms: Type.Integer({ minimum: 0 })
  },
  { additionalProperties: false }
)
export type Manifest = Static<typeof Manifest>

const validator = Compile(Manifest)

/** @throws ModelError naming the field at fault. */
export const parseRectangles = (file: ManifestFile): Manifest => parseManifest(validator, file)

/** What the sampler process needs: there are no weights. */
export interface RectanglesOpening {
  scaleMs: number
}
