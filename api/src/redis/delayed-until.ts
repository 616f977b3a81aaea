import { DELAYED_UNITS_PER_MS } from '@nextscale/platform'

/** The highest score of BullMQ's delayed jobs that are due at a time in Unix ms. */
export const delayedUntil = (ms: number): number => (ms + 1) * DELAYED_UNITS_PER_MS - 1
