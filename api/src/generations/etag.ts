import { createHash } from 'node:crypto'
import type { Found } from './find.ts'

/**
 * Tag of everything a generation is, apart from what every read mints or estimates anew: links and times to completion.
 * Weak, since bodies of one tag differ in those.
 */
export const etagOf = ({ snapshot, standing }: Found): string =>
  `W/"${createHash('sha256')
    .update(JSON.stringify([snapshot, standing]))
    .digest('base64url')
    .slice(0, 22)}"`

const opaque = (tag: string) => tag.trim().replace(/^W\//, '')

/** Whether `If-None-Match` names a tag, by weak comparison. */
export const matchesEtag = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((candidate) => opaque(candidate) === opaque(etag)))
