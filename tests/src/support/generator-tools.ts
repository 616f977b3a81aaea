import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pythonWith } from './python-env.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const PINNED = here('../../generators')
const CACHE = here('../../../node_modules/.cache/nextscale')
const NODE_MODULES = 'npm-client-generators-'
const INSTALL_TIMEOUT_MS = 480_000
const RUN_TIMEOUT_MS = 120_000

/** Runs a program of `tests/generators` in a folder, and returns what it prints. Throws all of that where it fails. */
export type RunTool = (folder: string, program: string, ...args: readonly string[]) => Promise<string>

/** The npm packages of the lock, each checked by the hash it has there; made once for each content of the lock. */
const installNpm = async (): Promise<string> => {
  const lock = await readFile(join(PINNED, 'package-lock.json'))
  const name = `${NODE_MODULES}${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`
  const folder = join(CACHE, name)
  const bin = join(folder, 'node_modules', '.bin')
  // Written last by npm: an installation that was interrupted is made anew.
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return bin
  await mkdir(folder, { recursive: true })
  const outdated = (await readdir(CACHE)).filter((other) => other.startsWith(NODE_MODULES) && other !== name)
  for (const other of outdated) await rm(join(CACHE, other), { recursive: true, force: true })
  for (const file of ['package.json', 'package-lock.json']) await copyFile(join(PINNED, file), join(folder, file))
  const args = ['ci', '--workspaces=false', '--ignore-scripts', '--no-audit', '--no-fund']
  await promisify(execFile)('npm', args, { cwd: folder, timeout: INSTALL_TIMEOUT_MS })
  return bin
}

/** Installs the generators where they are not yet: from PyPI, with a Java of their own, and from npm. Both check what they get by its hash. */
export const installGenerators = async (): Promise<RunTool> => {
  const [python, npmBin] = await Promise.all([pythonWith(join(PINNED, 'requirements.txt')), installNpm()])
  const path = [dirname(python), npmBin, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter)
  const env = { ...process.env, PATH: path, NO_COLOR: '1', PYTHONDONTWRITEBYTECODE: '1' }
  return (cwd, program, ...args) =>
    new Promise((resolve, reject) => {
      execFile(program, args, { cwd, env, timeout: RUN_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`))
        else resolve(stdout)
      })
    })
}
