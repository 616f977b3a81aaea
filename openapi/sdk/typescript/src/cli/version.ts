import { readFileSync } from 'node:fs'

/** Version of this package; built or not, its package.json is two folders up. */
export const readVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
