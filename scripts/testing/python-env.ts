import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'

const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/nextscale')
const INSTALL_TIMEOUT_MS = 8 * 60_000
const OLDEST = [3, 10] as const
const HAS_VENV = 'import ensurepip, venv'
const VERSION = 'import sys; print(*sys.version_info[:3], sys.executable, sep="\\n")'

/** A Python environment with what a requirements file pins. */
export interface PythonEnv {
  /** Its interpreter. */
  python: string
  /** `env` with its programs first on the path. */
  environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv
}

const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS, env })
  return { ok: status === 0, output: stdout ?? '', reason: error?.message ?? stderr.trim() }
}

const findPython = (): { version: string; executable: string } => {
  const { ok, output } = run('python3', ['-c', VERSION])
  const [major, minor, patch, executable = ''] = output.trim().split('\n')
  const isRecent = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])
  const found = ok ? `python3 is ${major}.${minor}` : 'python3 is missing'
  if (!ok || !isRecent)
    throw new Error(`${found}: install Python ${OLDEST.join('.')} or newer (Debian: apt-get install python3-venv).`)
  return { version: `${major}.${minor}.${patch}`, executable }
}

/** Debian keeps the parts that make environments in a package of their own. */
const ensureVenv = (python: string): void => {
  if (run(python, ['-c', HAS_VENV]).ok) return
  const advice = 'install it with `sudo apt-get install python3-venv`'
  if (process.getuid?.() !== 0) throw new Error(`python3-venv is missing: ${advice}.`)
  console.log('python3-venv is missing: installing it with apt-get.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const update = run('apt-get', ['update', '-qq'], env)
  const install = update.ok ? run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', 'python3-venv'], env) : update
  if (!install.ok || !run(python, ['-c', HAS_VENV]).ok) {
    throw new Error(`python3-venv could not be installed with apt-get (${install.reason}): ${advice}.`)
  }
}

const install = (python: string, folder: string, requirements: string): void => {
  const made = run(python, ['-m', 'venv', folder])
  if (!made.ok) throw new Error(`no Python environment could be made: ${made.reason}`)
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '-r', requirements]
  const installed = run(join(folder, 'bin', 'python'), pip)
  if (!installed.ok) throw new Error(`${requirements} could not be installed, which needs PyPI: ${installed.reason}`)
}

/**
 * Makes an environment with what `requirements` pins, or takes the one made before: one for each content of that file and
 * each Python, kept in `node_modules/.cache`. Throws a sentence that says what to do where it cannot be made.
 */
export const pythonEnv = async (requirements: string): Promise<PythonEnv> => {
  const { version, executable } = findPython()
  const key = createHash('sha256')
    .update(`${version}\n${await readFile(requirements, 'utf8')}`)
    .digest('hex')
  const folder = join(CACHE, `python-${key.slice(0, 12)}`)
  // Written last: an installation that was interrupted is made anew.
  const stamp = join(folder, '.complete')
  if (!existsSync(stamp)) {
    ensureVenv(executable)
    await rm(folder, { recursive: true, force: true })
    await mkdir(CACHE, { recursive: true })
    try {
      install(executable, folder, requirements)
      await writeFile(stamp, '')
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }
  const bin = join(folder, 'bin')
  return {
    python: join(bin, 'python'),
    environment: (env) => ({ ...env, VIRTUAL_ENV: folder, PATH: `${bin}${delimiter}${env['PATH'] ?? ''}` })
  }
}
