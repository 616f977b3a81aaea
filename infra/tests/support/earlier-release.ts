import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../../..')
const OWN = '@nextscale'
const TIMEOUT_MS = 60_000

const git = async (...args: string[]) => (await run('git', ['-C', ROOT, ...args], { timeout: TIMEOUT_MS })).stdout.trim()

/** Why there is no release before this one to be had; false where there is. */
export const missingEarlier: string | false = await git('rev-parse', '--verify', 'HEAD^').then(
  () => false,
  () => 'there is no commit before this one: git has no history here'
)

/** Packages of this release, and its own ones by the same links, which lead into `folder`. */
const linkPackages = async (folder: string): Promise<void> => {
  const [from, to] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')]
  await mkdir(join(to, OWN), { recursive: true })
  for (const name of await readdir(from))
    if (name !== OWN && !name.startsWith('.')) await symlink(join(from, name), join(to, name))
  const own = {
    api: 'api',
    'gpu-runner': 'gpu-runner',
    openapi: 'openapi',
    platform: 'platform',
    sdk: 'openapi/sdk/typescript',
    tests: 'tests'
  }
  for (const [name, place] of Object.entries(own)) await symlink(join(folder, place), join(to, OWN, name))
}

/** The commit before this one in a folder of its own, with the packages that are installed here. */
export const checkOutEarlier = async (): Promise<{ folder: string; remove: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-earlier-'))
  await git('worktree', 'add', '--detach', '--force', folder, 'HEAD^')
  await linkPackages(folder)
  return {
    folder,
    remove: async () => {
      await git('worktree', 'remove', '--force', folder)
      await rm(folder, { recursive: true, force: true })
    }
  }
}
