/** BullMQ scores delayed jobs by their time in ms and, within it, a counter of 12 bits. */
const UNITS_PER_MS = 0x1000

/** The highest score of BullMQ's delayed jobs that are due at a time in Unix ms. */
export const delayedUntil = (ms: number): number => (ms + 1) * UNITS_PER_MS - 1
