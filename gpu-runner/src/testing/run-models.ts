import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const START = fileURLToPath(new URL('../cli/start.ts', import.meta.url))

interface RunOptions {
  cwd: string
  env?: Record<string, string>
  /** Sends SIGINT as soon as this resolves. */
  interrupt?: () => Promise<void>
}

/** Runs `nextscale models` as a process of its own. */
export const runModels = async (args: string[], { cwd, env = {}, interrupt }: RunOptions) => {
  const child = spawn(process.execPath, [START, ...args], { cwd, env })
  const closed = once(child, 'close') as Promise<[number | null]>
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  if (interrupt) {
    await interrupt()
    child.kill('SIGINT')
    child.kill('SIGINT')
  }
  const [[status], [stdout, stderr]] = await Promise.all([closed, output])
  return { status, stdout, stderr }
}
