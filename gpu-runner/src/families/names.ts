import { ModelError } from '../errors.ts'
import type { ManifestFile } from '../model/manifest-file.ts'

/** The families of models there are. */
export const FAMILY_NAMES = ['var'] as const
export type FamilyName = (typeof FAMILY_NAMES)[number]

/** That of manifests which name none: they were written when there was no other. */
const UNNAMED: FamilyName = 'var'

const namedIn = (content: unknown): unknown =>
  typeof content === 'object' && content !== null && 'family' in content ? content.family : UNNAMED

/**
 * The family that a manifest names, whatever else is in it.
 * @throws ModelError that says which families there are.
 */
export const familyOf = ({ path, content }: ManifestFile): FamilyName => {
  const named = namedIn(content)
  const family = FAMILY_NAMES.find((name) => name === named)
  if (family) return family
  throw new ModelError(
    `${path}: /family is ${JSON.stringify(named)}, but a model is of one of these families: ${FAMILY_NAMES.join(', ')}.`
  )
}
