import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MAKE_PYTHON_ENV = fileURLToPath(new URL('../../../scripts/make-python-env.ts', import.meta.url))
const INSTALL_TIMEOUT_MS = 480_000

/** The interpreter of an environment with what a requirements file pins, installed where it is not yet; throws what to do where that cannot be. */
export const pythonWith = async (requirements: string): Promise<string> => {
  const options = { timeout: INSTALL_TIMEOUT_MS }
  const { stdout } = await promisify(execFile)(process.execPath, [MAKE_PYTHON_ENV, requirements], options)
  return stdout.trim()
}
