import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { aptInstall } from './apt.ts'

const PACKAGE = 'chromium'
const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

const lookForChromium = (): string | undefined => {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** The path of a Chromium; installed where root may, else throws a sentence that says what to do. */
export const findChromium = (): string => {
  const found = lookForChromium()
  if (found !== undefined) return found
  const missing = 'Chromium is missing'
  const installation = aptInstall(PACKAGE, missing)
  const installed = lookForChromium()
  if (installed !== undefined) return installed
  const reason = installation.ok ? 'also after apt-get' : installation.reason
  throw new Error(`${missing} (${reason}): install it (Debian: sudo apt-get install ${PACKAGE}).`)
}
