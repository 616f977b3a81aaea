import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type ProcessIdentity } from './identify-process.ts'

const POLL_MS = 20

const send = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended in the meantime, which is what was wanted.
  }
}

/** Ends whatever is left of a child's process group. Every child leads its own. */
export const killGroup = (pid: number): void => send(-pid, 'SIGKILL')

const ended = async (target: ProcessIdentity, timeoutMs: number, signal?: AbortSignal): Promise<boolean> => {
  const deadline = performance.now() + timeoutMs
  while (isRunning(target)) {
    if (performance.now() >= deadline || signal?.aborted) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Asks a process to end and waits; past the deadline, or once `force` aborts, its whole group is killed. */
export const stopProcess = async (
  target: ProcessIdentity,
  { timeoutMs, force }: { timeoutMs: number; force?: AbortSignal }
): Promise<'stopped' | 'killed'> => {
  if (!isRunning(target)) return 'stopped'
  send(target.pid, 'SIGTERM')
  if (await ended(target, timeoutMs, force)) {
    killGroup(target.pid)
    return 'stopped'
  }
  killGroup(target.pid)
  await ended(target, 5000)
  return 'killed'
}
