import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const STOP_TIMEOUT_MS = 15_000

export interface TestProcess {
  pid: number
  /** All it has printed so far. */
  output(): string
  /** Signals this process alone and waits for its end; a process that does not end is killed and reported. */
  end(signal?: NodeJS.Signals): Promise<void>
  isRunning(): boolean
}

/** Starts a program and keeps what it prints. */
export const startProcess = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): TestProcess => {
  const child: ChildProcess = spawn(command, args, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let printed = ''
  const keep = (text: string) => (printed += text)
  // Decoded as streams: a character may come in two pieces.
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  child.on('error', (error) => (printed += error.message))
  const exited = once(child, 'exit')
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const end = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (!isRunning()) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
    if (signal !== 'SIGKILL' && child.signalCode === 'SIGKILL')
      throw new Error(`${command} did not end on ${signal}:\n${printed}`)
  }
  return { pid: child.pid ?? -1, output: () => printed, end, isRunning }
}
