/** A runner that serves the family of rectangles beside those that are shipped: what a repository with a family of its own would start. */
import { openLog } from '@nextscale/platform/log'
import { printError } from '@nextscale/platform/terminal'
import { readConfig } from '../../config.ts'
import { startRunner } from '../../runner.ts'

const main = async (): Promise<void> => {
  const config = readConfig()
  const runner = await startRunner(config, await openLog(config), new URL('./families.ts', import.meta.url).href)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void runner.stop())
}

await main().catch((error: unknown) => {
  printError(`rectangles: ${String(error)}`)
  process.exitCode = 1
})
