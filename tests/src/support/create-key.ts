import type { Deployment } from './deployment.ts'
import { runOperatorCommand } from './operator-command.ts'
import { until } from './until.ts'

/** Makes an API key as an operator would, and waits until the service asks for it. */
export const createKey = async ({ redis, baseUrl }: Deployment, scopes: string): Promise<string> => {
  const output = await runOperatorCommand(['keys', 'create', '--name', 'tests', '--scopes', scopes], { REDIS_URL: redis.url })
  const [key] = /\bns_\w+/.exec(output) ?? []
  if (key === undefined) throw new Error(`no key was made: ${output}`)
  await until('the key is asked for', async () => (await fetch(`${baseUrl}/v1/models`)).status === 401)
  return key
}
