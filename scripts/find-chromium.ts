/** Finds a Chromium, or installs one, and prints its path. */
import { findChromium } from './testing/chromium.ts'

try {
  process.stdout.write(findChromium())
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
