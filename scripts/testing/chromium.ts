import { existsSync } from 'node:fs'
import { aptInstall } from './apt.ts'

const PATH = '/usr/bin/chromium'

/** Path of Chromium, which is installed where that can be done; throws a sentence that says what to do where it cannot. */
export const findChromium = (): string => {
  if (existsSync(PATH)) return PATH
  const missing = `${PATH} is missing`
  const installation = aptInstall('chromium', missing)
  if (!installation.ok)
    throw new Error(`${missing} (${installation.reason}): install it (Debian: sudo apt-get install chromium).`)
  return PATH
}
