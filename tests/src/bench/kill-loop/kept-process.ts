import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { startProcess, type TestProcess } from '../../support/process.ts'

const LOOK_MS = 100
const RESTART_AFTER_MS = 300

/** A program that is started again whenever it has ended, as an orchestrator does. */
export interface KeptProcess {
  /** Signals the process that runs now. */
  signal(name: NodeJS.Signals): void
  /** Kills the processes that it has started. Resolves with their number. */
  killChildren(): Promise<number>
  /** Kills it, and does not start it again before it is released. */
  hold(): void
  release(): void
  /** What all that ran has printed. */
  output(): string
  /** Ends it for good. */
  stop(): Promise<void>
}

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.trim().split(' ').filter(Boolean).map(Number)
}

const sendTo = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
    return false
  }
}

export const keepProcess = ([program, ...args]: readonly [string, ...string[]], env: Record<string, string>): KeptProcess => {
  let earlier = ''
  let isStopped = false
  let isHeld = false
  const start = () => startProcess(program, args, env)
  let running: TestProcess = start()
  const timer = setInterval(() => {
    if (isStopped || isHeld || running.isRunning()) return
    earlier += running.output()
    running = start()
  }, RESTART_AFTER_MS)
  return {
    signal: (name) => {
      if (running.isRunning()) sendTo(running.pid, name)
    },
    killChildren: async () => {
      const children = await childrenOf(running.pid)
      return children.filter((pid) => sendTo(pid, 'SIGKILL')).length
    },
    hold: () => {
      isHeld = true
      if (running.isRunning()) sendTo(running.pid, 'SIGKILL')
    },
    release: () => {
      isHeld = false
    },
    output: () => earlier + running.output(),
    stop: async () => {
      isStopped = true
      clearInterval(timer)
      await setTimeout(LOOK_MS)
      await running.end()
    }
  }
}
