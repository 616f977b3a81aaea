import { type Acceptance, type ImageFormat, readAccept } from '../../http/accept.ts'
import { preferredWait } from '../../http/prefer.ts'
import { requireAnswerable } from './picture.ts'

/** What a request for a generation says beside its body. */
export interface Asked {
  /** The idempotency key, if there is one. */
  key: string | undefined
  /** Format of the pictures, as the body or else `Accept` names it. */
  format: ImageFormat | undefined
  /** Format of the picture to answer with; undefined asks for JSON. */
  picture: ImageFormat | undefined
  /** The wait that was granted, in seconds, if one was preferred. */
  preferred: number | undefined
  /** How long the answer may take: as long as is preferred, and for a picture as long as waits may be. */
  waitSeconds: number
  /** Size of the request's body. */
  bytes: number
}

export interface AskedHeaders {
  accept?: string | undefined
  prefer?: string
  'idempotency-key'?: string
  'content-length'?: string | undefined
}

/** Format of the picture to answer with; a body that names another one than is accepted leaves JSON, if that is. */
const pictureOf = ({ json, formats }: Acceptance, named: ImageFormat | undefined): ImageFormat | undefined => {
  const wanted = named === undefined ? formats[0] : formats.find((format) => format === named)
  if (wanted !== undefined) return wanted
  requireAnswerable(json, formats, named)
  return undefined
}

/** Reads the headers of a request whose body names a format, or none. Throws a problem when nothing could be answered. */
export const readAsked = (headers: AskedHeaders, named: ImageFormat | undefined, maxWaitSeconds: number): Asked => {
  const picture = pictureOf(readAccept(headers.accept), named)
  const preferred = preferredWait(headers.prefer, maxWaitSeconds)
  return {
    key: headers['idempotency-key'],
    format: named ?? picture,
    picture,
    preferred,
    waitSeconds: preferred ?? (picture === undefined ? 0 : maxWaitSeconds),
    bytes: Number(headers['content-length'] ?? 0)
  }
}
