import { fileURLToPath } from 'node:url'
import type { Deployment } from './deployment.ts'
import { startProcess } from './process.ts'
import { until } from './until.ts'

const COMMAND = fileURLToPath(new URL('../../../scripts/nextscale.mjs', import.meta.url))

/** Makes an API key as an operator would, and waits until the service asks for it. */
export const createKey = async ({ redis, baseUrl }: Deployment, scopes: string): Promise<string> => {
  const args = [COMMAND, 'keys', 'create', '--name', 'tests', '--scopes', scopes]
  const started = startProcess(process.execPath, args, { REDIS_URL: redis.url, CI: '1' })
  await until('the key is made', async () => !started.isRunning())
  const [key] = /\bns_\w+/.exec(started.output()) ?? []
  if (key === undefined) throw new Error(`no key was made: ${started.output()}`)
  await until('the key is asked for', async () => (await fetch(`${baseUrl}/v1/models`)).status === 401)
  return key
}
