/** Makes the Python environment of a requirements file, or takes the one made before, and prints its interpreter. */
import { pythonEnv } from './testing/python-env.ts'

const [requirements] = process.argv.slice(2)
try {
  if (requirements === undefined) throw new Error('Usage: make-python-env.ts <requirements file>')
  process.stdout.write((await pythonEnv(requirements)).python)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
