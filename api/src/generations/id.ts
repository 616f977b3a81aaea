import { createHmac, randomFillSync } from 'node:crypto'
import { base32 } from '@nextscale/openapi'

const ID_BYTES = 16
/** Random bytes are drawn for many ids at once: a draw costs more than the rest of an id. */
const pool = Buffer.alloc(256 * ID_BYTES)
let used = pool.length

/** A fresh id of 128 random bits. */
export const newGenerationId = (): string => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = pool.subarray(used, used + ID_BYTES)
  used += ID_BYTES
  return `gen_${base32(bytes)}`
}

/** The id that belongs to an owner's idempotency key, the same at any time and in any process. */
export const keyedGenerationId = (owner: string, key: string): string =>
  `gen_${base32(createHmac('sha256', owner).update(key).digest().subarray(0, ID_BYTES))}`
