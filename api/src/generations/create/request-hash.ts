import { createHash } from 'node:crypto'

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** JSON with the fields of every object in order, so that equal values are equal texts. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner
  )

/** Digest of what a request asks for. */
export const requestHash = (request: unknown): string => createHash('sha256').update(canonical(request)).digest('base64url')
