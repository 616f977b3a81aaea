import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '@nextscale/platform/testing'
import { inherited, readHelm, readToolFolder } from './config.ts'

const run = promisify(execFile)
const VERSION = 'v3.22.0'
const MODULE = `helm.sh/helm/v3/cmd/helm@${VERSION}`
const BUILD_TIMEOUT_MS = 20 * 60_000

/** A helm, or why there is none. */
type Found = { path: string } | { missing: string }

const isHelm = async (path: string): Promise<boolean> =>
  run(path, ['version', '--template', '{{.Version}}']).then(
    ({ stdout }) => /^v[34]\./.test(stdout),
    () => false
  )

const firstLineOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 2).join(' ')

/** Builds it beside its place and moves it there, so that what lies there is whole. */
const build = async (folder: string, path: string): Promise<Found> => {
  const unfinished = await mkdtemp(join(folder, 'building-'))
  try {
    await run('go', ['install', MODULE], {
      timeout: BUILD_TIMEOUT_MS,
      maxBuffer: 2 ** 26,
      env: { ...inherited(), GOBIN: unfinished, GOFLAGS: '' }
    })
    await rename(join(unfinished, 'helm'), path)
    return { path }
  } catch (error) {
    return { missing: `there is no helm in PATH, and none could be built from ${MODULE}: ${firstLineOf(error)}` }
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

const isStale = (lock: string): Promise<boolean> =>
  stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > BUILD_TIMEOUT_MS,
    () => true
  )

/** Test files run at the same time: one of them builds, and the others wait for it. */
const buildOnce = async (): Promise<Found> => {
  const folder = join(readToolFolder(), `helm-${VERSION}`)
  const [path, lock] = [join(folder, 'helm'), join(folder, 'lock')]
  await mkdir(folder, { recursive: true })
  if (existsSync(path)) return { path }
  if (await isStale(lock)) await rm(lock, { recursive: true, force: true })
  const isMine = await mkdir(lock).then(
    () => true,
    () => false
  )
  if (!isMine) {
    const over = () => existsSync(path) || !existsSync(lock)
    await until('the build of helm by another process', over, { deadlineMs: BUILD_TIMEOUT_MS, againMs: 500 })
    return existsSync(path) ? { path } : { missing: 'another process could not build helm, and says why' }
  }
  try {
    return await build(folder, path)
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

const findHelm = async (): Promise<Found> => {
  const named = readHelm()
  if (named !== undefined) return { path: named }
  return (await isHelm('helm')) ? { path: 'helm' } : buildOnce()
}

const found = await findHelm()

/** Why suites that need helm are skipped; false where they need not be. */
export const missing: string | false = 'missing' in found ? found.missing : false
export const helmPath: string = 'path' in found ? found.path : 'helm'
