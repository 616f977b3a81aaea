/** Finds a Chromium, or installs one, and prints its path. */
import { findChromium } from './testing/chromium.ts'
import { print, printError } from '@nextscale/platform/terminal'

try {
  print(findChromium())
} catch (error) {
  printError(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
