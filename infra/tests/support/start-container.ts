import { until } from '@nextscale/platform/testing'
import { podman, tryPodman, type Run } from './podman.ts'

/** No more than what containers may have where a test itself has limits. */
const LIMITS = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096']
/** Nothing may be written but what is mounted, and nothing may be done that needs a right. */
const HARDENED = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop',
  'all',
  '--security-opt',
  'no-new-privileges',
  '--tmpfs',
  '/tmp:rw,mode=1777'
]
const STOP_SECONDS = 40

export interface ContainerOptions {
  readonly image: string
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string | number>>
  /** `source:target` each; a name is a volume, a path a folder. */
  readonly volumes?: readonly string[]
  readonly options?: readonly string[]
  /** The network it is on; that of the host by default. */
  readonly network?: string
  /** Whether the root may not be written; it may not by default. */
  readonly isHardened?: boolean
}

/** A container of a test's own. */
export interface Container {
  readonly name: string
  exec: (...command: string[]) => Promise<Run>
  logs: () => Promise<string>
  /** Paths that differ from the image's. */
  changes: () => Promise<string[]>
  isRunning: () => Promise<boolean>
  /** Waits for the end of what ends by itself; its exit code. */
  wait: () => Promise<number>
  /** Sends SIGTERM; the code that the process ended with. */
  stop: () => Promise<number>
  restart: () => Promise<void>
  remove: () => Promise<void>
}

let counter = 0

const argsOf = ({
  image,
  command = [],
  env = {},
  volumes = [],
  options = [],
  network = 'host',
  isHardened = true
}: ContainerOptions) => [
  '--no-healthcheck',
  '--pull=never',
  ...LIMITS,
  '--network',
  network,
  ...(isHardened ? HARDENED : []),
  ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ...volumes.flatMap((volume) => ['--volume', volume]),
  ...options,
  image,
  ...command
]

/** Runs a container to its end. */
export const runContainer = (options: ContainerOptions): Promise<Run> => tryPodman(['run', '--rm', ...argsOf(options)])

const exitCode = async (name: string): Promise<number> => {
  const ended = async () => (await podman(['inspect', '--format', '{{.State.Status}}', name])) === 'exited'
  await until(`the end of ${name}`, ended, { deadlineMs: 10_000, againMs: 100 })
  return Number(await podman(['inspect', '--format', '{{.State.ExitCode}}', name]))
}

/** Starts a container and does not wait for what is in it. */
export const startContainer = async (options: ContainerOptions): Promise<Container> => {
  const name = `nextscale-test-${process.pid}-${++counter}`
  await podman(['run', '--detach', '--name', name, ...argsOf(options)])
  return {
    name,
    exec: (...command) => tryPodman(['exec', name, ...command]),
    logs: async () => {
      const { stdout, stderr } = await tryPodman(['logs', name])
      return stdout + stderr
    },
    changes: async () => (await podman(['diff', name])).split('\n').map((line) => line.slice(2)),
    isRunning: async () => (await podman(['inspect', '--format', '{{.State.Running}}', name])) === 'true',
    wait: async () => Number(await podman(['wait', name])),
    stop: async () => {
      await podman(['stop', '--time', String(STOP_SECONDS), name])
      return exitCode(name)
    },
    restart: async () => void (await podman(['restart', '--time', String(STOP_SECONDS), name])),
    remove: async () => void (await tryPodman(['rm', '--force', '--time', '0', '--volumes', name]))
  }
}
