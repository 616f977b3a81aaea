import { type ChildProcess, spawn } from 'node:child_process'
import { WRONG_SETTING } from '@nextscale/platform/config'
import { identifyProcess, type ProcessIdentity } from './identify-process.ts'
import type { LinePrinter, Speaker } from './print-lines.ts'
import { planRestart } from './plan-restart.ts'
import { killGroup, stopProcess } from './stop-process.ts'

export interface Program {
  name: Speaker
  command: string
  args: string[]
  cwd: string
  env: NodeJS.ProcessEnv
  /** How long it may take to end by itself. */
  stopTimeoutMs: number
}

export interface Supervised {
  /** Aborts when the program keeps ending by itself; no further restart follows. */
  gaveUp: AbortSignal
  stop: (force?: AbortSignal) => Promise<void>
}

export interface SuperviseOptions {
  program: Program
  lines: LinePrinter
  record: (name: string, child: ProcessIdentity | undefined) => void
}

const describeEnd = (code: number | null, signal: NodeJS.Signals | null) =>
  signal ? `was ended by ${signal}` : `ended with code ${code}`

/** Leads its own process group, so that the terminal's Ctrl-C reaches the launcher alone. */
const launch = ({ program: { name, command, args, cwd, env }, lines }: SuperviseOptions): ChildProcess => {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  lines.follow(name, child.stdout)
  lines.follow(name, child.stderr)
  child.on('error', (error) => lines.print(name, `${command} does not start: ${error.message}`))
  return child
}

/** Keeps a program running until it is stopped or has failed too often in a row. */
export const supervise = (options: SuperviseOptions): Supervised => {
  const { program, lines, record } = options
  const gaveUp = new AbortController()
  let running: ProcessIdentity | undefined
  let restart: NodeJS.Timeout | undefined
  let stopping = false
  let failures = 0

  const start = () => {
    const startedAt = performance.now()
    const child = launch(options)
    running = child.pid === undefined ? undefined : identifyProcess(child.pid)
    record(program.name, running)
    const onEnd = (code: number | null, signal: NodeJS.Signals | null) => {
      record(program.name, undefined)
      if (child.pid !== undefined) killGroup(child.pid)
      if (stopping) return
      if (code === WRONG_SETTING) {
        lines.print('launcher', `${program.name} does not start as it is set, and starting it again would change nothing.`)
        return gaveUp.abort()
      }
      const plan = planRestart({ failures, ranMs: performance.now() - startedAt })
      failures = plan.failures
      if (plan.kind === 'give-up') {
        lines.print('launcher', `${program.name} ${describeEnd(code, signal)}, the ${failures}th time in a row: giving up.`)
        return gaveUp.abort()
      }
      lines.print('launcher', `${program.name} ${describeEnd(code, signal)}; starting it again in ${plan.delayMs / 1000} s.`)
      restart = setTimeout(start, plan.delayMs)
    }
    child.once(child.pid === undefined ? 'error' : 'exit', onEnd)
  }
  start()

  return {
    gaveUp: gaveUp.signal,
    stop: async (force) => {
      stopping = true
      clearTimeout(restart)
      if (!running) return
      const outcome = await stopProcess(running, { timeoutMs: program.stopTimeoutMs, ...(force && { force }) })
      if (outcome === 'killed') lines.print('launcher', `${program.name} did not end in time and was killed.`)
    }
  }
}
