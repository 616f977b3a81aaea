import { fileURLToPath } from 'node:url'
import { startProcess } from './process.ts'
import { until } from './until.ts'

const COMMAND = fileURLToPath(new URL('../../../scripts/nextscale.mjs', import.meta.url))

/** Runs a `nextscale` command as an operator would, and returns what it prints. */
export const runOperatorCommand = async (args: string[], environment: Record<string, string>): Promise<string> => {
  const started = startProcess(process.execPath, [COMMAND, ...args], { ...environment, CI: '1' })
  await until(`nextscale ${args[0]} ends`, async () => !started.isRunning())
  return started.output()
}
