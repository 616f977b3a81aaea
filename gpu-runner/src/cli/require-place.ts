import { isDeepStrictEqual } from 'node:util'
import type { Bucket } from '@nextscale/platform/bucket'
import { NoSuchObject } from '@nextscale/platform/object-store'
import type { ModelUrl } from '../bucket/model-url.ts'
import { JsonError, parseJson } from '../checkpoint/parse-json.ts'
import { ModelError } from '../errors.ts'
import { type HashedFile, listedFiles, MANIFEST_FILE, type ManifestFile, MAX_MANIFEST_BYTES } from '../model/manifest-file.ts'
import { CommandError } from './command.ts'

/** The manifest that a bucket has at a place; undefined where it has none, `unreadable` where nobody could read it as one. */
const manifestAt = async (bucket: Bucket, { url, prefix }: ModelUrl, signal: AbortSignal) => {
  try {
    const bytes = await bucket.read(`${prefix}${MANIFEST_FILE}`, MAX_MANIFEST_BYTES, signal)
    return { path: `${url}/${MANIFEST_FILE}`, content: parseJson(bytes) }
  } catch (error) {
    if (error instanceof NoSuchObject) return undefined
    if (error instanceof RangeError || error instanceof JsonError) return 'unreadable'
    throw error
  }
}

const filesOf = (manifest: ManifestFile): HashedFile[] | undefined => {
  try {
    return listedFiles(manifest)
      .map(({ path, sha256 }) => ({ path, sha256 }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  } catch (error) {
    if (error instanceof ModelError) return undefined
    throw error
  }
}

const field = ({ content }: ManifestFile, name: string): string => {
  const value: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, name) : undefined
  return typeof value === 'string' ? value : 'unknown'
}

const nameOf = (manifest: ManifestFile): string => `${field(manifest, 'id')}, revision ${field(manifest, 'revision')}`

/** What is at a place where another model is to be put; undefined where nothing is, or the same. */
const otherThere = (there: ManifestFile | 'unreadable' | undefined, manifest: ManifestFile): string | undefined => {
  if (there === undefined) return undefined
  if (there === 'unreadable') return `a ${MANIFEST_FILE} that cannot be read`
  if (nameOf(there) !== nameOf(manifest)) return nameOf(there)
  return isDeepStrictEqual(filesOf(there), filesOf(manifest)) ? undefined : `${nameOf(there)}, with other files`
}

/**
 * Refuses to put a model where another one is. A server that refuses hangs up in the middle of an upload, and what it says is lost, so
 * that it is asked here even where all may be replaced.
 */
export const requirePlace = async (
  bucket: Bucket,
  { target, manifest, isReplacing }: { target: ModelUrl; manifest: ManifestFile; isReplacing: boolean },
  signal: AbortSignal
): Promise<void> => {
  const other = otherThere(await manifestAt(bucket, target, signal), manifest)
  if (other === undefined || isReplacing) return
  throw new CommandError(
    `${target.url} has another model already: ${other}. Put ${nameOf(manifest)}, under another prefix, or replace what is there with --replace.`
  )
}
