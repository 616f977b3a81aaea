/** Makes the Python environment of a requirements file, or takes the one made before, and prints its interpreter. */
import { pythonEnv } from './testing/python-env.ts'
import { print, printError } from '@nextscale/platform/terminal'

const [requirements] = process.argv.slice(2)
try {
  if (requirements === undefined) throw new Error('Usage: make-python-env.ts <requirements file>')
  print((await pythonEnv(requirements)).python)
} catch (error) {
  printError(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
