import { readFile, rename, writeFile } from 'node:fs/promises'
import { createKey, type KeyContext, type NewKey } from './create.ts'
import { parseRecord } from './record.ts'
import { parseToken } from './token.ts'
import { verify } from './verify.ts'

const OWNER_ONLY = 0o600

export interface EnsureOptions {
  /** Where the token is kept. */
  file: string
  wanted: NewKey
  /** Whether to make none when there are keys already, none of which the file names. */
  unlessOthers: boolean
}

/** The token in the file, if it is one that Redis knows. */
const readValid = async ({ redis, keys }: KeyContext, file: string): Promise<string | undefined> => {
  const text = (await readFile(file, 'utf8').catch(() => '')).trim()
  const token = parseToken(text)
  if (token === undefined) return undefined
  const stored = await redis.hget(keys.apiKeys, token.id)
  const record = stored === null ? undefined : parseRecord(stored)
  return verify(record, token.secret, Date.now()).kind === 'valid' ? text : undefined
}

/** Keeps a valid key in a file that its owner alone can read: the one it holds, or a new one. */
export const ensureKey = async (
  context: KeyContext,
  { file, wanted, unlessOthers }: EnsureOptions
): Promise<{ kind: 'kept' | 'made'; token: string } | { kind: 'others' }> => {
  const kept = await readValid(context, file)
  if (kept !== undefined) return { kind: 'kept', token: kept }
  if (unlessOthers && (await context.redis.hlen(context.keys.apiKeys)) > 0) return { kind: 'others' }
  const { token } = await createKey(context, wanted)
  await writeFile(`${file}.next`, `${token}\n`, { mode: OWNER_ONLY })
  await rename(`${file}.next`, file)
  return { kind: 'made', token }
}
