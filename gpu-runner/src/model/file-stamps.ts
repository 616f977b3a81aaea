import { stat } from 'node:fs/promises'

const stampOf = async (path: string): Promise<string> => {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found ? [found.dev, found.ino, found.size, found.mtimeNs].join(':') : 'none'
}

/** Another text when one of the files was written anew, replaced or removed. Their content is not read. */
export const stampFiles = async (paths: readonly string[]): Promise<string> => (await Promise.all(paths.map(stampOf))).join('|')
