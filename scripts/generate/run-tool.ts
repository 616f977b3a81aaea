import { resolve } from 'node:path'
import { runCommand } from '../testing/run-command.ts'

export const ROOT = resolve(import.meta.dirname, '../..')
const TIMEOUT_MS = 8 * 60_000

/** Runs a line of shell, from the root unless said, and throws with all it printed when it fails. */
export const runTool = async (line: string, { cwd = ROOT, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) => {
  const { output, failure } = await runCommand(line, { cwd, env: { ...process.env, ...env }, timeoutMs: TIMEOUT_MS, live: false })
  if (failure !== undefined) throw new Error(`${line}: ${failure}\n${output}`.trimEnd())
}
