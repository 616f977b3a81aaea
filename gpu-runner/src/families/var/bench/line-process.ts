import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How long one answer may take: big models on few cores take minutes. */
const ANSWER_MS = 900_000
const EXIT_MS = 10_000

export interface LineCommand {
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
}

/** A process that says a line when it is ready and answers each line with one. */
export interface LineProcess {
  pid: number
  /** @throws when the process ends or takes too long instead of answering. */
  read(): Promise<string>
  ask(request: string): Promise<string>
  /** Ends its input, upon which it exits. */
  close(): Promise<void>
}

/** Starts a process whose input ends with this one, and which then exits as well. */
export const startLines = ({ command, args, env }: LineCommand, signal: AbortSignal): LineProcess => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...(env && { env }) })
  const kill = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const exited = once(child, 'exit')
  // Whoever reads is told; a process that is gone must not end this one as well.
  exited.catch(() => undefined)
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async (): Promise<string> => {
    const deadline = setTimeout(kill, ANSWER_MS)
    try {
      const { done, value } = await lines.next()
      signal.throwIfAborted()
      if (done) throw new Error(`${command} ${args[0] ?? ''} ended without an answer; what it said is above.`)
      return value
    } finally {
      clearTimeout(deadline)
    }
  }
  return {
    pid: child.pid ?? 0,
    read,
    ask: (request) => {
      child.stdin.write(`${request}\n`)
      return read()
    },
    close: async () => {
      const deadline = setTimeout(kill, EXIT_MS)
      child.stdin.end()
      await exited.catch(() => undefined)
      clearTimeout(deadline)
      signal.removeEventListener('abort', kill)
    }
  }
}
