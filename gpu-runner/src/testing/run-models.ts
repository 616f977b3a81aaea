import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const START = fileURLToPath(new URL('../cli/start.ts', import.meta.url))
const POLL_MS = 10
const DEADLINE_MS = 30_000

/** What ends a command before it is done. */
interface Stop {
  signal: NodeJS.Signals
  /** Asked again and again with what has been printed so far. */
  when: (stdout: string) => boolean | Promise<boolean>
}

interface RunOptions {
  cwd: string
  env?: Record<string, string>
  stop?: Stop
}

/** Runs `nextscale models` as a process of its own. */
export const runModels = async (args: string[], { cwd, env = {}, stop }: RunOptions) => {
  const child = spawn(process.execPath, [START, ...args], { cwd, env })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  let printed = ''
  child.stdout.on('data', (chunk) => (printed += String(chunk)))
  if (stop) {
    for (const begun = performance.now(); !(await stop.when(printed)); await setTimeout(POLL_MS)) {
      if (child.exitCode === null && performance.now() - begun < DEADLINE_MS) continue
      child.kill('SIGKILL')
      throw new Error(`There was nothing to stop: ${printed}${(await output)[1]}`)
    }
    // Twice, as a terminal and a launcher do together.
    child.kill(stop.signal)
    child.kill(stop.signal)
  }
  const [[status, signal], [stdout, stderr]] = await Promise.all([closed, output])
  return { status, signal, stdout, stderr }
}
