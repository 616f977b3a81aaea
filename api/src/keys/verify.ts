import { timingSafeEqual } from 'node:crypto'
import { type ApiKeyRecord, isExpired } from './record.ts'
import { digestOf } from './token.ts'

export type Verdict = { kind: 'valid'; record: ApiKeyRecord } | { kind: 'expired'; record: ApiKeyRecord } | { kind: 'invalid' }

const NO_DIGEST = Buffer.alloc(32)

/** Judges a secret by the record of its id. An id there is none of takes as long as a wrong secret. */
export const verify = (record: ApiKeyRecord | undefined, secret: string, now: number): Verdict => {
  const stored = record === undefined ? NO_DIGEST : Buffer.from(record.secret_sha256, 'hex')
  const isEqual = timingSafeEqual(digestOf(secret), stored)
  if (record === undefined || !isEqual) return { kind: 'invalid' }
  return { kind: isExpired(record, now) ? 'expired' : 'valid', record }
}
