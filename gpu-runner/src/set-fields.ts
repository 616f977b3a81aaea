import { WHEN_FULL } from '@nextscale/platform'

/** Sets fields of a hash, also while Redis is full. */
export const SET_FIELDS = `${WHEN_FULL}return redis.call('HSET', KEYS[1], unpack(ARGV))`
