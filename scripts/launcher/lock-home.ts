import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from './start-error.ts'
import { identifyProcess, isRunning, type ProcessIdentity } from './identify-process.ts'

const URL_FILE = 'api-url'

interface LockContent {
  launcher: ProcessIdentity
  /** What the launcher had running, so that the next one can end it should this one be killed. */
  children: Record<string, ProcessIdentity>
}

export interface HomeLock {
  /** Processes a launcher that was killed has left behind. */
  leftovers: ProcessIdentity[]
  /** Notes what is running under a name, or that nothing is. */
  record: (name: string, child: ProcessIdentity | undefined) => void
  /** Notes where the API is, for commands on this machine, until the release. */
  tell: (baseUrl: string) => void
  release: () => void
}

const read = (path: string): LockContent | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockContent
  } catch {
    return undefined
  }
}

/** Links the finished file into place, so that no reader ever sees half a lock. */
const create = (path: string, content: LockContent): boolean => {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(content))
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(draft)
  }
}

const refuse = (home: string, pid: number) =>
  new StartError(`Nextscale is already running in ${home} (pid ${pid}). Stop it, or set NEXTSCALE_HOME to another directory.`)

/** Moves a dead launcher's lock away. Two that try at once cannot both win, nor take a lock that is alive. */
const removeStale = (path: string, home: string): LockContent | undefined => {
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
  } catch {
    return undefined
  }
  const content = read(aside)
  if (content && isRunning(content.launcher)) {
    renameSync(aside, path)
    throw refuse(home, content.launcher.pid)
  }
  rmSync(aside)
  return content
}

const OWNER_ONLY = 0o700

/** Makes a data directory that its owner alone can enter: what lies in it is worth as much as the key. */
const ownHome = (home: string): void => {
  try {
    mkdirSync(home, { recursive: true, mode: OWNER_ONLY })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(`The data directory cannot be made (${reason}): set NEXTSCALE_HOME to a directory of your own.`)
  }
  if ((statSync(home).mode & 0o777) === OWNER_ONLY) return
  try {
    chmodSync(home, OWNER_ONLY)
  } catch {
    throw new StartError(`${home} is open to others and cannot be closed to them: set NEXTSCALE_HOME to a directory of your own.`)
  }
}

/** Claims a data directory for this process. */
export const lockHome = (home: string): HomeLock => {
  ownHome(home)
  const path = join(home, 'launcher.lock')
  const content: LockContent = { launcher: identifyProcess(process.pid), children: {} }
  let stale: LockContent | undefined
  while (!create(path, content)) {
    const holder = read(path)
    if (holder && isRunning(holder.launcher)) throw refuse(home, holder.launcher.pid)
    stale = removeStale(path, home) ?? stale
  }
  let released = false
  const save = () => {
    if (released) return
    writeFileSync(`${path}.next`, JSON.stringify(content))
    renameSync(`${path}.next`, path)
  }
  return {
    leftovers: Object.values(stale?.children ?? {}).filter(isRunning),
    record: (name, child) => {
      if (child) content.children[name] = child
      else delete content.children[name]
      save()
    },
    tell: (baseUrl) => writeFileSync(join(home, URL_FILE), `${baseUrl}\n`),
    release: () => {
      released = true
      rmSync(join(home, URL_FILE), { force: true })
      rmSync(path, { force: true })
    }
  }
}
