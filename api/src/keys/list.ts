import type { KeyContext } from './create.ts'
import { type ApiKeyRecord, parseRecord } from './record.ts'

/** Every key, the oldest first. */
export const listKeys = async ({ redis, keys }: KeyContext): Promise<ApiKeyRecord[]> => {
  const texts = await redis.hvals(keys.apiKeys)
  return texts.flatMap((text) => parseRecord(text) ?? []).toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1))
}
