import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Nextscale, type VerifiedWebhook, verifyWebhook, type WebhookDelivery } from '@nextscale/sdk/source'
import { type Deployment, deploy } from '../support/deployment.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

const SIGNING_KEYS = [randomBytes(32), randomBytes(32)].map((seed) => `whsk_${seed.toString('base64')}`)

const gather = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** A receiver that holds no secret: it verifies with the keys that the service publishes, and answers as it is told. */
const startKeyedReceiver = async (client: Nextscale) => {
  const taken: VerifiedWebhook[] = []
  const keyed = { url: '', taken, answers: [] as number[], close: () => server.closeAllConnections() }
  const server = createServer((request, response) => {
    const take = async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(Buffer.from(chunk))
      taken.push(await verifyWebhook(Buffer.concat(chunks), request.headers, await client.webhooks.keys()))
      response.writeHead(keyed.answers.shift() ?? 204).end('It is noted.')
    }
    take().catch((error: unknown) => response.writeHead(400).end(String(error)))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  keyed.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return keyed
}

describe('webhooks of the TypeScript SDK', () => {
  let service: Deployment
  let client: Nextscale
  let receiver: Receiver
  before(async () => {
    const signing = { EGRESS: 'any', WEBHOOK_SIGNING_KEYS: SIGNING_KEYS.join(','), WEBHOOK_RETRY_DELAYS_SECONDS: '0.2,600' }
    service = await deploy({ env: signing })
    client = new Nextscale({ baseUrl: service.baseUrl })
    const { secret } = await client.webhooks.secret()
    receiver = await startReceiver('typescript', { secrets: [secret], nextscaleUrl: service.baseUrl })
  })
  after(async () => {
    await receiver?.close()
    await service.close()
  })

  const finished = (id: string, attempts = 1): Promise<WebhookDelivery> =>
    until(`${id} is delivered`, async () => {
      const delivery = await client.webhooks.delivery(id)
      return delivery.status !== 'pending' && delivery.attempts.length >= attempts && delivery
    })

  it('a test event arrives, signed with the secret', async () => {
    const { id, event, generation_id } = await client.webhooks.test(receiver.url)
    assert.deepEqual([event, generation_id], ['webhook.test', null])
    const { status, attempts } = await finished(id)
    assert.deepEqual([status, attempts.map((attempt) => attempt.status_code)], ['delivered', [204]])
    await receiver.printed(`took ${id} webhook.test`)
  })

  it('a generation is announced, and its picture saved; the same again is taken once', async () => {
    const { id } = await client.generate({ class_name: 'fox', webhook: { url: receiver.url } })
    await receiver.printed(`${id}-0.png`)
    const [delivery, ...others] = await gather(client.webhooks.deliveries({ generation_id: id }))
    assert.ok(delivery)
    assert.deepEqual(others, [])
    const { status } = await finished(delivery.id)
    assert.equal(status, 'delivered')
    const { webhook } = await client.get(id)
    assert.deepEqual([webhook?.status, webhook?.delivery_id, webhook?.attempts], ['delivered', delivery.id, 1])
    await client.webhooks.redeliver(delivery.id)
    assert.equal((await finished(delivery.id, 2)).attempts.length, 2)
    await receiver.printed(`had ${delivery.id} generation.succeeded`)
  })

  it('pages of deliveries join up, newest first', async () => {
    const made: string[] = []
    for (let count = 0; count < 3; count++) made.unshift((await client.webhooks.test(receiver.url)).id)
    const listed: string[] = []
    for await (const { id } of client.webhooks.deliveries({ limit: 1 })) {
      listed.push(id)
      if (listed.length === made.length) break
    }
    assert.deepEqual(listed, made)
  })

  it('anyone can verify with the published keys, also what comes again after a refusal', async () => {
    assert.equal((await client.webhooks.keys()).keys.length, SIGNING_KEYS.length)
    const keyed = await startKeyedReceiver(client)
    keyed.answers = [503]
    const { id } = await client.webhooks.test(keyed.url)
    const { attempts } = await finished(id, 2)
    assert.deepEqual(
      attempts.map(({ outcome, status_code, response }) => [outcome, status_code, response]),
      [
        ['rejected', 503, 'It is noted.'],
        ['delivered', 204, '']
      ]
    )
    assert.deepEqual(
      keyed.taken.map((taken) => [taken.id, taken.event.type]),
      [
        [id, 'webhook.test'],
        [id, 'webhook.test']
      ]
    )
    keyed.close()
  })

  it('a receiver that knows the secret before a rotation goes on, and so does one that knows the new', async () => {
    const before = await client.webhooks.secret()
    const rotated = await client.webhooks.rotateSecret()
    assert.notEqual(rotated.secret, before.secret)
    assert.ok(Date.parse(rotated.previous_expires_at ?? '') > Date.now())
    assert.deepEqual(await client.webhooks.secret(), rotated)
    for (const secret of [before.secret, rotated.secret]) {
      await receiver.restart('SIGTERM', [secret])
      const { id } = await client.webhooks.test(receiver.url)
      assert.equal((await finished(id)).status, 'delivered')
    }
  })

  it('says what there is not', async () => {
    await assert.rejects(client.webhooks.delivery(`whd_${'a'.repeat(26)}`), { code: 'delivery_not_found', status: 404 })
    await assert.rejects(client.webhooks.test('ftp://example.com'), { code: 'webhook_url_refused', status: 422 })
  })
})
