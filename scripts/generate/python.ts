import { join } from 'node:path'
import { pythonEnv } from '../testing/python-env.ts'
import { MADE, type Made } from './generator.ts'
import { ROOT, runTool } from './run-tool.ts'

const SDK = join(ROOT, 'openapi', 'sdk', 'python')

const findPython = async () => {
  try {
    return { env: (await pythonEnv(join(SDK, 'requirements.txt'))).environment(process.env) }
  } catch (error) {
    return { because: error instanceof Error ? error.message : String(error) }
  }
}

/** Writes what is generated of the Python client. */
export const makePython = async (): Promise<Made> => {
  const { env, because } = await findPython()
  if (because !== undefined) return { isMade: false, because }
  await runTool('python scripts/generate.py', { cwd: SDK, env: { ...env, PYTHONDONTWRITEBYTECODE: '1' } })
  return MADE
}
