import { readFile, rename, writeFile } from 'node:fs/promises'
import { createKey, type KeyContext, type NewKey } from './create.ts'
import { parseRecord } from './record.ts'
import { parseToken } from './token.ts'
import { verify } from './verify.ts'

const OWNER_ONLY = 0o600

/** What keeps a token. */
export interface TokenPlace {
  /** Its text; empty where there is none. */
  read: () => Promise<string>
  write: (token: string) => Promise<void>
}

/** A file that its owner alone can read. */
export const inFile = (file: string): TokenPlace => ({
  read: () => readFile(file, 'utf8').catch(() => ''),
  write: async (token) => {
    await writeFile(`${file}.next`, `${token}\n`, { mode: OWNER_ONLY })
    await rename(`${file}.next`, file)
  }
})

export interface EnsureOptions {
  /** Where the token is kept. */
  place: TokenPlace
  wanted: NewKey
  /** Whether to make none when there are keys already, none of which the file names. */
  unlessOthers: boolean
}

/** The token that is kept, if it is one that Redis knows. */
const readValid = async ({ redis, keys }: KeyContext, place: TokenPlace): Promise<string | undefined> => {
  const text = (await place.read()).trim()
  const token = parseToken(text)
  if (token === undefined) return undefined
  const stored = await redis.hget(keys.apiKeys, token.id)
  const record = stored === null ? undefined : parseRecord(stored)
  return verify(record, token.secret, Date.now()).kind === 'valid' ? text : undefined
}

/** Keeps a valid key in its place: the one it holds, or a new one. */
export const ensureKey = async (
  context: KeyContext,
  { place, wanted, unlessOthers }: EnsureOptions
): Promise<{ kind: 'kept' | 'made'; token: string } | { kind: 'others' }> => {
  const kept = await readValid(context, place)
  if (kept !== undefined) return { kind: 'kept', token: kept }
  if (unlessOthers && (await context.redis.hlen(context.keys.apiKeys)) > 0) return { kind: 'others' }
  const { token } = await createKey(context, wanted)
  try {
    await place.write(token)
  } catch (error) {
    // Nobody has it, and the next start makes another.
    await context.redis.hdel(context.keys.apiKeys, parseToken(token)?.id ?? '')
    throw error
  }
  return { kind: 'made', token }
}
