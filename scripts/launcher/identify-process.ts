import { readFileSync } from 'node:fs'

/** A running process, told apart from a later one that was given the same pid. */
export interface ProcessIdentity {
  pid: number
  /** Start time in the kernel's words; empty where the system has no /proc. */
  started: string
}

const STARTED_FIELD = 22
const ZOMBIE = 'Z'
const ENDED = 'ended'

const startedAt = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold spaces: counting begins behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === ZOMBIE ? ENDED : (fields[STARTED_FIELD - 3] ?? '')
  } catch {
    return ''
  }
}

export const identifyProcess = (pid: number): ProcessIdentity => ({ pid, started: startedAt(pid) })

export const isRunning = ({ pid, started }: ProcessIdentity): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startedAt(pid)
  return now !== ENDED && now === started
}
