import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface CommandResult {
  output: string
  /** Why the command failed; absent when it exited with 0. */
  failure?: string
}

export interface CommandOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  timeoutMs: number
  /** Shows the output as it comes instead of keeping it. */
  live: boolean
}

const killGroup = (pid: number) => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

/**
 * Runs a line of shell to its end, in a process group of its own: nothing it started outlives it or holds its output
 * open. Whatever happens to it ends up in the result.
 */
export const runCommand = async (line: string, { cwd, env, timeoutMs, live }: CommandOptions): Promise<CommandResult> => {
  const child = spawn(line, {
    cwd,
    env,
    shell: true,
    detached: true,
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe']
  })
  let overdue = false
  const end = () => child.pid !== undefined && killGroup(child.pid)
  const timer = setTimeout(() => {
    overdue = true
    end()
  }, timeoutMs)
  process.on('exit', end)
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => {
      end()
      if (overdue) resolve(`not done after ${timeoutMs / 1000} s`)
      else resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`)
    })
  })
  const read = (stream: typeof child.stdout) => (stream ? text(stream) : '')
  const [stdout, stderr, failure] = await Promise.all([read(child.stdout), read(child.stderr), ended])
  clearTimeout(timer)
  process.off('exit', end)
  return { output: `${stdout}${stderr}`, ...(failure !== undefined && { failure }) }
}
