import { randomBytes } from 'node:crypto'
import { link, mkdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../errno.ts'
import { openFile } from './open-file.ts'

const SECRET_FILE = '.link-secret'

const readSecret = async (path: string): Promise<string | undefined> => {
  // Secrets are often mounted as links.
  const handle = await openFile(path, { followsLinks: true })
  try {
    return (await handle?.readFile('utf8'))?.trim()
  } finally {
    await handle?.close()
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
  throw new Error(`${path} is empty, or no file: remove it, or set LINK_SECRET`)
}
