import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const SECRET_FILE = '.link-secret'

const isErrno = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code

const readSecret = async (path: string): Promise<string | undefined> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/**
 * The secret of a directory, made on first use. It is written aside and linked into place, which fails if another process
 * was quicker: all agree on one, and none reads half of it.
 */
export const loadLinkSecret = async (directory: string): Promise<string> => {
  const path = join(directory, SECRET_FILE)
  const existing = await readSecret(path)
  if (existing) return existing
  await mkdir(directory, { recursive: true })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 })
  try {
    await link(draft, path)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
  const secret = await readSecret(path)
  if (secret) return secret
  throw new Error(`${path} is empty: remove it, or set LINK_SECRET`)
}
