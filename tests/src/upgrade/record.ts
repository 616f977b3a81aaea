import type { Generation, WebhookSecret } from '@nextscale/openapi'
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '../support/client.ts'
import { createKey } from '../support/create-key.ts'
import { type Deployment, deploy } from '../support/deployment.ts'
import { answer, type ScriptedReceiver, startScriptedReceiver } from '../support/scripted-receiver.ts'
import { until } from '../support/until.ts'
import { readObjects, readRedis, type Recorded, type Told } from './recorded.ts'

/*
 * Writes what a release leaves behind when all its processes are killed at work. Run by hand, once for each release, in its own
 * tree: `tests/README.md` says how.
 */

const IDEMPOTENT = { key: 'order-17', body: { class_name: 'fox', seed: 5 } }

const end = async (client: Client, body: object): Promise<string> => {
  const { id } = await client.generate(body)
  await client.finish(id)
  return id
}

/** Work of every kind, and one of it being sampled. */
const work = async (
  service: Deployment,
  client: Client,
  receiver: ScriptedReceiver
): Promise<Omit<Told, 'key' | 'webhookSecret'>> => {
  const webhook = { url: receiver.url }
  const succeeded = await end(client, {
    class_name: 'fox',
    seed: 7,
    num_images: 2,
    return_tokens: true,
    previews: 'auto',
    label: 'first',
    metadata: { order: '17' },
    webhook
  })
  await until('it is told', async () => (await client.read(succeeded)).webhook?.status === 'delivered')
  const draft = await end(client, { class_name: 'fox', seed: 7, stop_at_scale: 3 })
  const { id: canceled } = await client.generate({ num_images: 16 })
  await client.cancel(canceled)
  await client.finish(canceled)
  receiver.otherwise = answer(500)
  const owed = await end(client, { seed: 1, webhook })
  await until('an announcement has failed', async () => receiver.about(owed).length > 0)
  const { id: held } = await client.generate({ seed: 2, num_images: 16, previews: 'auto', deadline_seconds: 86_400 })
  const first = await client.send('post', '/generate', (test) =>
    test.set('idempotency-key', IDEMPOTENT.key).send(IDEMPOTENT.body)
  )
  const others = await Promise.all([
    client.generate({ seed: 3, priority: 'high', webhook }),
    client.generate({ seed: 4, output: { format: 'png' }, smooth: true, return_tokens: true })
  ])
  await until('one is sampled', async () => ((await client.read(held)).progress?.tokens ?? 0) > 0)
  await Promise.all([service.runner(), service.control(), service.api()].map((started) => started.end('SIGKILL')))
  const waiting = [(first.body as Generation).id, ...others.map(({ id }) => id)]
  return { webhookUrl: receiver.url, succeeded, draft, canceled, owed, held, waiting, idempotent: IDEMPOTENT }
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** `0.1.0 of 2026-11-25`. */
const releaseHere = async (): Promise<string> => {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
  return `${version} of ${execFileSync('git', ['log', '-1', '--format=%cs'], { encoding: 'utf8' }).trim()}`
}

const [file = 'recorded.json'] = process.argv.slice(2)
const service = await deploy({ env: { EGRESS: 'any', MAX_BATCH: '1', CONCURRENCY: '1', WEBHOOK_RETRY_DELAYS_SECONDS: '5,600' } })
const receiver = await startScriptedReceiver()
try {
  const key = await createKey(service, 'admin')
  const client = createClient(service.baseUrl, key)
  const { secret: webhookSecret } = (await client.send('get', '/v1/webhooks/secret')).body as WebhookSecret
  const told = { key, webhookSecret, ...(await work(service, client, receiver)) }
  const [redis, objects] = [await readRedis(service.redis.url), await readObjects(service.objects)]
  const recorded: Recorded = { release: await releaseHere(), at: Date.now(), told, redis, objects }
  // Stacks of errors name where the release lay.
  await writeFile(file, `${JSON.stringify(recorded, null, 2).replaceAll(ROOT, '/nextscale/')}\n`)
} finally {
  await receiver.stop()
  await service.close()
}
