import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { readImageStore } from './config.ts'

const execute = promisify(execFile)

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
/** Outside of the repository: what is mounted below would be in the way of npm ci. */
export const STORE = resolve(readImageStore() ?? join(tmpdir(), `nextscale-images-${hashOf(ROOT)}`))
/** Podman takes no more than 50 characters here. */
const RUN_ROOT = join(tmpdir(), `nextscale-${hashOf(STORE)}`)
const STORAGE = ['--root', join(STORE, 'images'), '--runroot', RUN_ROOT, '--storage-driver', 'overlay']
const ENGINE = ['--cgroup-manager', 'cgroupfs', '--runtime', 'runc', '--events-backend', 'none']
const TOOLS = ['buildah', 'podman', 'runc', 'mmdebstrap', 'redis-server', 'flock', 'hadolint'] as const
const COMMAND_DEADLINE_MS = 60_000

export const hasTool = (name: string): Promise<boolean> =>
  execute('sh', ['-c', `command -v ${name}`]).then(
    () => true,
    () => false
  )

/** Programs that podman runs from folders of its own, for networks and names in them. */
const HELPERS = ['netavark', 'aardvark-dns'] as const
const HELPER_FOLDERS = ['/usr/lib/podman', '/usr/libexec/podman', '/usr/local/lib/podman', '/usr/local/libexec/podman']

const isMissing = async (name: string) => ((await hasTool(name)) ? [] : [name])
const lacking = [
  ...(await Promise.all(TOOLS.map(isMissing))).flat(),
  ...HELPERS.filter((name) => !HELPER_FOLDERS.some((folder) => existsSync(join(folder, name))))
]

export interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end; a code other than 0 is no error. */
export const run = async (command: string, args: readonly string[], timeoutMs = COMMAND_DEADLINE_MS): Promise<Run> => {
  const options = { timeout: timeoutMs, maxBuffer: 2 ** 26, cwd: ROOT }
  try {
    return { code: 0, ...(await execute(command, args, options)) }
  } catch (error) {
    const { code, stdout = '', stderr = '', killed = false } = error as Partial<Run> & { killed?: boolean }
    if (killed || typeof code !== 'number') throw error
    return { code, stdout, stderr }
  }
}

/** Runs a command that has to succeed, and returns what it printed. */
export const demand = async (command: string, args: readonly string[], timeoutMs?: number): Promise<string> => {
  const { code, stdout, stderr } = await run(command, args, timeoutMs)
  if (code === 0) return stdout.trim()
  throw new Error(
    `${command} ${args.join(' ').slice(0, 300)} ended with ${code}:\n${stdout.slice(-2000)}\n${stderr.slice(-4000)}`
  )
}

export const podman = (args: readonly string[], timeoutMs?: number): Promise<string> =>
  demand('podman', [...STORAGE, ...ENGINE, ...args], timeoutMs)

/** As `podman`, where another code than 0 is an answer. */
export const tryPodman = (args: readonly string[], timeoutMs?: number): Promise<Run> =>
  run('podman', [...STORAGE, ...ENGINE, ...args], timeoutMs)

/** What keeps the layers of images from being laid over each other here, as in some sandboxes. */
const cannotMount = async (): Promise<string | undefined> => {
  await mkdir(STORE, { recursive: true })
  const name = `probe-${process.pid}`
  const steps = [
    ['from', '--name', name, 'scratch'],
    ['mount', name]
  ]
  try {
    for (const step of steps) {
      const { code, stderr } = await run('buildah', [...STORAGE, ...step])
      if (code !== 0) return stderr.trim().split('\n').at(-1)
    }
    return undefined
  } finally {
    await run('buildah', [...STORAGE, 'rm', name])
  }
}

const whyMissing = async (): Promise<string | false> => {
  if (process.getuid?.() !== 0) return 'root is needed to build images without a daemon'
  if (lacking.length > 0) return `not here: ${lacking.join(', ')}`
  const fault = await cannotMount()
  return fault === undefined ? false : `images cannot be built here: ${fault}`
}

/** Why suites that build and run images are skipped; false where they need not be. */
export const missing = await whyMissing()

/** One build at a time: test files that want the same image share its layers. */
export const buildah = async (args: readonly string[], timeoutMs: number): Promise<string> => {
  await mkdir(STORE, { recursive: true })
  const [verb = '', ...rest] = args
  return demand('flock', [join(STORE, 'lock'), 'nice', '-n', '5', 'buildah', ...STORAGE, verb, ...rest], timeoutMs)
}
