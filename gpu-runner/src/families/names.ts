import { ModelError } from '../errors.ts'
import type { ManifestFile } from '../model/manifest-file.ts'

/** The family of manifests which name none: they were written when there was no other. */
const UNNAMED = 'var'

const namedIn = (content: unknown): unknown =>
  typeof content === 'object' && content !== null && 'family' in content ? content.family : UNNAMED

/**
 * Which of the families a manifest names, whatever else is in it.
 * @throws ModelError that says which families there are.
 */
export const familyOf = ({ path, content }: ManifestFile, names: readonly string[]): string => {
  const named = namedIn(content)
  const family = names.find((name) => name === named)
  if (family !== undefined) return family
  throw new ModelError(
    `${path}: /family is ${JSON.stringify(named)}, but a model is of one of these families: ${names.join(', ')}.`
  )
}
