import { randomBytes } from 'node:crypto'

const PROCESS_PART = randomBytes(6).toString('hex')
let count = 0

/** An id for the answer's `x-request-id`, its problem and the log: unique, and cheap enough for every request. */
export const newRequestId = (): string => {
  count += 1
  return `req_${PROCESS_PART}${count.toString(36).padStart(6, '0')}`
}
