import type { KeyContext } from './create.ts'

/** Takes a key away. Its generations stay, and nobody sees them any more. */
export const revokeKey = async ({ redis, keys }: KeyContext, id: string): Promise<'revoked' | 'unknown'> =>
  (await redis.hdel(keys.apiKeys, id)) === 1 ? 'revoked' : 'unknown'
