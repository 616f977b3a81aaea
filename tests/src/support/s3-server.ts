import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'
import { until } from './until.ts'

const VERSITYGW = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'
const TOOLS = fileURLToPath(new URL('../../../.nextscale/tools/', import.meta.url))
const BUILD_TIMEOUT_MS = 480_000
export const BUCKET = 'pictures'
const S3RVER = fileURLToPath(import.meta.resolve('s3rver/bin/s3rver.js'))

/** An S3 server on loopback that can be stopped and started again with its objects. */
export interface S3Server {
  /** Environment of API and runner. */
  env: Record<string, string>
  /** Paths of the files that are the server's objects. */
  list(): Promise<string[]>
  start(): Promise<void>
  stop(): Promise<void>
  /** Freezes it: connections stay open and nothing answers. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

/**
 * The program of versitygw, which checks signatures as S3 does. It is built once where there is Go; elsewhere s3rver from
 * npm stands in, which speaks the protocol but believes every signature.
 */
const findVersitygw = (): string | undefined => {
  const program = join(TOOLS, 'versitygw')
  if (existsSync(program)) return program
  try {
    execFileSync('go', ['install', VERSITYGW], {
      env: { ...process.env, GOBIN: TOOLS },
      stdio: 'ignore',
      timeout: BUILD_TIMEOUT_MS
    })
    return program
  } catch {
    return undefined
  }
}

export const versitygw = findVersitygw()
export const checksSignatures = versitygw !== undefined

/** The command line of the server. */
export const s3Command = (folder: string, port: number, address = '127.0.0.1'): [string, ...string[]] =>
  versitygw
    ? [versitygw, '--quiet', '--port', `${address}:${port}`, '--access', 'S3RVER', '--secret', 'S3RVER', 'posix', folder]
    : [process.execPath, S3RVER, '--silent', '-d', folder, '-a', address, '-p', String(port), '--configure-bucket', BUCKET]

/** Settings of API and runner for it. */
export const s3Environment = (endpoint: string): Record<string, string> => ({
  S3_BUCKET: BUCKET,
  S3_ENDPOINT: endpoint,
  S3_PREFIX: 'made',
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 'S3RVER'
})

export const createS3Server = async (): Promise<S3Server> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-s3-'))
  await mkdir(join(folder, BUCKET))
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  let server: TestProcess | undefined
  const start = async () => {
    const [program, ...args] = s3Command(folder, port)
    server = startProcess(program, args)
    await until('the S3 server answers', async () => (await fetch(endpoint).catch(() => undefined)) !== undefined)
  }
  const stop = async () => server?.end('SIGKILL')
  const signal = (name: NodeJS.Signals) => {
    if (server?.isRunning()) process.kill(server.pid, name)
  }
  await start()
  return {
    env: s3Environment(endpoint),
    list: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile())
      // s3rver keeps two more files beside each object.
      const objects = files.filter(({ name }) => !name.includes('._S3rver_') || name.endsWith('._S3rver_object'))
      return objects.map(({ parentPath, name }) => join(parentPath, name))
    },
    start,
    stop,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    close: async () => {
      await stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
