import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, delimiter, dirname, extname, join, resolve } from 'node:path'
import { aptInstall } from './apt.ts'

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

const run = (command: string, args: readonly string[]) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS })
  return { ok: status === 0, output: stdout ?? '', reason: error?.message ?? stderr.trim() }
}

interface Python {
  version: string
  executable: string
}

/** The Python of the path, where it is recent and can make environments; else what is the matter with it. */
const lookForPython = (): Python | string => {
  const { ok, output } = run('python3', ['-c', VERSION])
  if (!ok) return 'python3 is missing'
  const [major, minor, patch, executable = ''] = output.trim().split('\n')
  const isRecent = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])
  if (!isRecent) return `python3 is ${major}.${minor}`
  // Debian keeps the parts that make environments in a package of their own.
  return run(executable, ['-c', HAS_VENV]).ok ? { version: `${major}.${minor}.${patch}`, executable } : 'python3-venv is missing'
}

/** Installs what is missing where that can be done. */
const findPython = (): Python => {
  const found = lookForPython()
  if (typeof found !== 'string') return found
  const installation = aptInstall('python3-venv', found)
  const installed = lookForPython()
  if (typeof installed !== 'string') return installed
  const reason = installation.ok ? 'also after apt-get' : installation.reason
  const advice = `install Python ${OLDEST.join('.')} or newer with venv (Debian: sudo apt-get install python3-venv)`
  throw new Error(`${installed} (${reason}): ${advice}.`)
}

/** Environments of one requirements file have its name, so that those of what it said before can be told. */
const nameOf = (requirements: string): string => {
  const path = resolve(requirements)
  return `python-${basename(dirname(path))}-${basename(path, extname(path))}-`
}

const removeOutdated = async (prefix: string): Promise<void> => {
  const outdated = (await readdir(CACHE)).filter((name) => name.startsWith(prefix))
  for (const name of outdated) await rm(join(CACHE, name), { recursive: true, force: true })
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
 * each Python, kept in `node_modules/.cache` in place of those of the same file before. Throws a sentence that says what to do where it cannot be made.
 */
export const pythonEnv = async (requirements: string): Promise<PythonEnv> => {
  const { version, executable } = findPython()
  const key = createHash('sha256')
    .update(`${version}\n${await readFile(requirements, 'utf8')}`)
    .digest('hex')
  const prefix = nameOf(requirements)
  const folder = join(CACHE, `${prefix}${key.slice(0, 12)}`)
  // Written last: an installation that was interrupted is made anew.
  const stamp = join(folder, '.complete')
  if (!existsSync(stamp)) {
    await mkdir(CACHE, { recursive: true })
    await removeOutdated(prefix)
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
