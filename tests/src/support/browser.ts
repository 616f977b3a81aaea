import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const FIND_CHROMIUM = fileURLToPath(new URL('../../../scripts/find-chromium.ts', import.meta.url))
const INSTALL_TIMEOUT_MS = 480_000

/** A real Chromium without a window. */
export const openBrowser = async (): Promise<Browser> => {
  const { stdout } = await promisify(execFile)(process.execPath, [FIND_CHROMIUM], { timeout: INSTALL_TIMEOUT_MS })
  return chromium.launch({ executablePath: stdout, args: ['--no-sandbox'] })
}
