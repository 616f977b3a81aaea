import { spawnSync } from 'node:child_process'

const TIMEOUT_MS = 30_000
const MAIN = ['main', 'origin/main']

const git = (root: string, ...args: string[]): string | undefined => {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8', timeout: TIMEOUT_MS })
  return status === 0 ? stdout : undefined
}

export interface Changes {
  /** Where the branch left main; the last commit where there is no main. */
  base: string
  /** Paths from the root, those that are gone included. */
  files: string[]
}

/** What differs between the working tree and where its branch left main: commits, and what is in none yet. */
export const findChanges = (root: string): Changes => {
  const bases = MAIN.map((main) => git(root, 'merge-base', 'HEAD', main)?.trim())
  const base = bases.find((found) => found !== undefined) ?? 'HEAD'
  const differing = git(root, 'diff', '--name-only', '--no-renames', '-z', base)
  const untracked = git(root, 'ls-files', '--others', '--exclude-standard', '-z')
  if (differing === undefined || untracked === undefined) throw new Error('git cannot say what has changed here')
  const files = new Set(`${differing}${untracked}`.split('\0').filter((path) => path !== ''))
  return { base, files: [...files].toSorted() }
}
