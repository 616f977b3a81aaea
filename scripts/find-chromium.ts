/** Prints the path of Chromium, after installing it where it is missing and that can be done. */
import { findChromium } from './testing/chromium.ts'

try {
  process.stdout.write(findChromium())
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
