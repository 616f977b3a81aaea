import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { aptInstall } from './apt.ts'

const FAMILY = 'Noto Color Emoji'
const PACKAGE = 'fonts-noto-color-emoji'
const FILE = '/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf'

const isInstalled = (): boolean =>
  existsSync(FILE) || (spawnSync('fc-match', ['-f', '%{family}', FAMILY], { encoding: 'utf8' }).stdout ?? '').includes(FAMILY)

/** Makes sure of the font that emoji are drawn with; throws a sentence that says what to do where it cannot be installed. */
export const installEmojiFont = (): void => {
  if (isInstalled()) return
  const missing = `The font ${FAMILY} is missing`
  const installation = aptInstall(PACKAGE, missing)
  if (!installation.ok)
    throw new Error(`${missing} (${installation.reason}): install it (Debian: sudo apt-get install ${PACKAGE}).`)
}
