import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import {
  deliverWebhookJob,
  type DeliverWebhookPayload,
  type Generation,
  liveDeliveryId,
  pictureKey,
  terminalDeliveryId,
  type WebhookAttempt,
  type WebhookEventName
} from '@nextscale/openapi'
import { Worker } from 'bullmq'
import { Registry } from 'prom-client'
import { Webhook } from 'standardwebhooks'
import { readConfig } from '../config.ts'
import type { Egress } from '../egress/egress.ts'
import { openEgress } from '../egress/open.ts'
import { cancel } from '../generations/cancel.ts'
import { erase } from '../generations/erase.ts'
import { newGenerationId } from '../generations/id.ts'
import { OWNER } from '../keys/owner.ts'
import { openReceiver, type ReceivedRequest, type Receiver } from '../testing/receiver.ts'
import { openTestApp, type RunnerJob, type TestApp } from '../testing/test-app.ts'
import { announcedPayload, type Announced, openAnnounced } from '../testing/webhooks.ts'
import { createWebhookSecrets, type WebhookSecrets } from './secrets.ts'
import { openSigningKeys } from './signing-keys.ts'
import { type Deliveries, startDeliveries } from './start-deliveries.ts'
import { until } from '@nextscale/platform/testing'

const SIGNING_KEY = `whsk_${Buffer.alloc(32, 7).toString('base64')}`
const SETTINGS = { EGRESS: 'any', WEBHOOK_TIMEOUT_MS: '600', WEBHOOK_PER_HOST: '2', WEBHOOK_SIGNING_KEYS: SIGNING_KEY }

let context: TestApp
let announced: Announced
let secrets: WebhookSecrets
let receiver: Receiver
/** How the next generations end. */
let resultOf: (job: RunnerJob) => object
let egress: Egress
const opened: Deliveries[] = []
before(async () => {
  context = await openTestApp({ EGRESS: 'any' })
  announced = await openAnnounced(context)
  secrets = createWebhookSecrets(announced.services.redis, context.keys)
  egress = openEgress(readConfig(SETTINGS).egress)
  await context.runner((job) => Promise.resolve(resultOf(job)))
})
after(async () => {
  await egress.close()
  await announced.close()
  await context.close()
})
beforeEach(async () => {
  resultOf = () => ({ outcome: 'expired' })
  receiver = await openReceiver()
})
afterEach(async () => {
  receiver.close()
  for (const deliveries of opened.splice(0)) await deliveries.stop()
  await announced.services.deliveryQueue.obliterate({ force: true })
})

/** Resolves to what counts attempts. */
const start = async (environment: Record<string, string> = {}): Promise<Registry> => {
  const registry = new Registry()
  const config = readConfig({ ...SETTINGS, WEBHOOK_RETRY_DELAYS_SECONDS: '0.05,0.05,0.05', ...environment })
  const { services } = announced
  const deliveries = await startDeliveries({
    place: context.server.url,
    keys: context.keys,
    registry,
    config: config.webhooks,
    publicUrl: undefined,
    reader: services.reader,
    store: services.store,
    egress,
    secrets,
    log: context.app.log
  })
  opened.push(deliveries)
  return registry
}

/** Queues a generation whose end is to be announced to a receiver. */
const add = async (url = receiver.url, events?: WebhookEventName[], limits = {}): Promise<string> => {
  const id = newGenerationId()
  const payload = announcedPayload(limits)
  const webhook = { ...payload.webhook, url, base: 'http://api.test', ...(events && { events }) }
  await announced.services.enqueue.add({
    id,
    pool: 'default',
    payload: { ...payload, webhook } as typeof payload,
    createdAt: Date.now()
  })
  return id
}

const jobOf = async (id: string) =>
  (await announced.services.deliveryQueue.getJob(terminalDeliveryId(id))) ?? assert.fail('no delivery')
const untilState = (id: string, state: string) =>
  until(`${id} ${state}`, async () => (await (await jobOf(id)).getState()) === state)
const attemptsOf = async (id: string): Promise<WebhookAttempt[]> => {
  const { logs } = await announced.services.deliveryQueue.getJobLogs(terminalDeliveryId(id))
  return logs.map((line) => JSON.parse(line) as WebhookAttempt)
}
const outcomesOf = async (id: string) => (await attemptsOf(id)).map(({ outcome }) => outcome)

type Body = { type: string; timestamp: string; data: Generation }
/** The body, once the official library has found its signature good. */
const verified = async ({ headers, body }: ReceivedRequest): Promise<Body> => {
  const [secret] = await secrets.signing(OWNER)
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Body
}

test('the end is announced once, signed by the secret and by the published key', async () => {
  await start()
  const id = await add()
  await untilState(id, 'completed')
  const [request = assert.fail(), ...others] = receiver.requests
  assert.deepEqual(others, [])
  const { type, data, timestamp } = await verified(request)
  assert.deepEqual([type, data.id, data.status], ['generation.expired', id, 'expired'])
  assert.equal(timestamp, data.completed_at)
  assert.equal(data.urls.self, `http://api.test/v1/generations/${id}`)
  const { 'webhook-id': webhookId, 'webhook-timestamp': sentAt, 'webhook-signature': signatures } = request.headers
  assert.equal(webhookId, terminalDeliveryId(id))
  const published = openSigningKeys([SIGNING_KEY])[0]?.jwk ?? assert.fail()
  const [, signature = ''] = /v1a,(\S+)/.exec(String(signatures)) ?? []
  const content = Buffer.from(`${String(webhookId)}.${String(sentAt)}.${request.body}`)
  const key = createPublicKey({ key: published, format: 'jwk' })
  assert.ok(verify(null, content, key, Buffer.from(signature, 'base64')))
  assert.deepEqual(await outcomesOf(id), ['delivered'])
})

test('while a secret is replaced, both sign', async () => {
  await start()
  const [old] = await secrets.signing(OWNER)
  const { secret: current } = await secrets.rotate(OWNER)
  assert.notEqual(current, old)
  const id = await add()
  await untilState(id, 'completed')
  const [{ headers, body } = assert.fail()] = receiver.requests
  for (const secret of [old, current]) new Webhook(secret).verify(body, headers as Record<string, string>)
})

test('an end that was not asked for is skipped', async () => {
  await start()
  const id = await add(receiver.url, ['generation.succeeded', 'generation.failed'])
  await untilState(id, 'completed')
  assert.deepEqual((await jobOf(id)).returnvalue, { outcome: 'skipped', event: 'generation.expired' })
  assert.deepEqual(receiver.requests, [])
})

test('what a receiver refuses is sent again with the same id, signed anew', async () => {
  const answers = [500, 302, 404, 200]
  receiver.answer = (_request, response) => void response.writeHead(answers.shift() ?? 200, { location: receiver.url }).end('so')
  await start()
  const id = await add()
  await untilState(id, 'completed')
  assert.deepEqual(
    (await attemptsOf(id)).map(({ outcome, status_code: status, response }) => [outcome, status, response]),
    [
      ['rejected', 500, 'so'],
      ['rejected', 302, 'so'],
      ['rejected', 404, 'so'],
      ['delivered', 200, 'so']
    ]
  )
  assert.equal(receiver.requests.length, 4)
  for (const request of receiver.requests) await verified(request)
  assert.equal(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size, 1)
})

test('after the last attempt it has failed, and 410 is the last at once', async () => {
  await start()
  receiver.answer = (_request, response) => void response.writeHead(500).end()
  const exhausted = await add()
  await untilState(exhausted, 'failed')
  assert.equal((await attemptsOf(exhausted)).length, 4)
  receiver.answer = (_request, response) => void response.writeHead(410).end()
  const unwanted = await add()
  await untilState(unwanted, 'failed')
  assert.equal((await attemptsOf(unwanted)).length, 1)
})

test('Retry-After is waited for', async () => {
  receiver.answer = (_request, response) => void response.writeHead(429, { 'retry-after': '3600' }).end()
  await start()
  const id = await add()
  await untilState(id, 'delayed')
  assert.equal((await jobOf(id)).delay, 3_600_000)
})

test('a receiver that hangs, breaks off, or never ends is one failed attempt each', async () => {
  await start({ WEBHOOK_RETRY_DELAYS_SECONDS: '0.05,0.05,0.05' })
  const answers: Receiver['answer'][] = [
    () => undefined,
    (_request, response) => void response.destroy(),
    (_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'.repeat(16_384)), 1)
      response.on('close', () => clearInterval(timer))
    }
  ]
  receiver.answer = (request, response) =>
    (answers.shift() ?? ((_request, last) => void last.writeHead(200).end()))(request, response)
  const id = await add()
  await untilState(id, 'completed')
  const [hung, broken, endless] = await attemptsOf(id)
  assert.deepEqual([hung?.outcome, broken?.outcome], ['timeout', 'unreachable'])
  assert.equal(endless?.outcome, 'delivered', 'a 2xx counts, whatever follows it')
  assert.equal(Buffer.byteLength(endless?.response ?? ''), 1024)
})

test('a host that hangs holds up no other', async () => {
  const other = await openReceiver()
  receiver.answer = () => undefined
  await start({ WEBHOOK_CONCURRENCY: '6', WEBHOOK_RETRY_DELAYS_SECONDS: '60' })
  const stuck = await Promise.all(Array.from({ length: 12 }, () => add()))
  const quick = await add(other.url.replace('127.0.0.1', 'localhost'))
  await untilState(quick, 'completed')
  assert.ok((await Promise.all(stuck.map(outcomesOf))).flat().length < stuck.length, 'the slow ones were not waited for')
  other.close()
})

test('however many requests to one host are allowed, half of a process is for the others', async () => {
  const other = await openReceiver()
  receiver.answer = () => undefined
  await start({ WEBHOOK_CONCURRENCY: '2', WEBHOOK_PER_HOST: '20', WEBHOOK_TIMEOUT_MS: '60000' })
  for (let n = 0; n < 6; n++) await add()
  await until('a request that hangs', () => receiver.requests.length > 0)
  const quick = await add(other.url.replace('127.0.0.1', 'localhost'))
  await untilState(quick, 'completed')
  assert.equal(receiver.requests.length, 1)
  other.close()
})

test('two processes at once make each delivery once', async () => {
  await start()
  await start()
  const ids = await Promise.all(Array.from({ length: 40 }, () => add()))
  for (const id of ids) await untilState(id, 'completed')
  const sent = receiver.requests.map(({ headers }) => String(headers['webhook-id']))
  assert.deepEqual(sent.toSorted(), ids.map(terminalDeliveryId).toSorted())
})

test('the end of a generation is told even when its retention ended before the receiver was back', async () => {
  receiver.answer = (_request, response) => void response.writeHead(503).end()
  await start({ WEBHOOK_RETRY_DELAYS_SECONDS: '2' })
  const id = await add(receiver.url, undefined, { retention_seconds: 1 })
  await until('a first attempt', () => receiver.requests.length === 1)
  receiver.answer = (_request, response) => void response.writeHead(204).end()
  await until('something put aside', async () => (await jobOf(id)).data.kept !== undefined)
  await announced.services.queues.of('default').remove(id)
  await untilState(id, 'completed')
  const { type, data } = await verified(receiver.requests[1] ?? assert.fail())
  assert.deepEqual([type, data.id, data.outputs], ['generation.expired', id, []])
})

test('of a deleted generation nothing is told any more', async () => {
  receiver.answer = (_request, response) => void response.writeHead(503).end()
  await start({ WEBHOOK_RETRY_DELAYS_SECONDS: '0.5' })
  const id = await add()
  await until('a first attempt', async () => (await outcomesOf(id)).length === 1)
  await announced.services.queues.of('default').remove(id)
  await untilState(id, 'failed')
  assert.deepEqual(await outcomesOf(id), ['rejected', 'gone'])
  assert.equal((await jobOf(id)).data.kept, undefined)
  assert.equal(receiver.requests.length, 1)
})

test('a canceled generation is announced as canceled', async () => {
  await context.queue.pause()
  const id = await add()
  await cancel(announced.services, OWNER, id)
  await start()
  await untilState(id, 'completed')
  assert.equal((await verified(receiver.requests[0] ?? assert.fail())).type, 'generation.canceled')
  await erase(announced.services, OWNER, id)
  await context.queue.resume()
})

const METRICS = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }
const succeeded = ({ id = '' }: RunnerJob) => {
  const key = pictureKey(id, 0, 'png')
  const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
  return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
}

test('each attempt has links, time and signature of its own', async () => {
  resultOf = succeeded
  let isFirst = true
  receiver.answer = (_request, response) => {
    response.writeHead(isFirst ? 500 : 204).end()
    isFirst = false
  }
  // Times of links and signatures are in seconds.
  await start({ WEBHOOK_RETRY_DELAYS_SECONDS: '2' })
  const id = await add()
  await untilState(id, 'completed')
  const [first = assert.fail(), second = assert.fail()] = receiver.requests
  const [before, now] = [await verified(first), await verified(second)]
  assert.equal(before.timestamp, now.timestamp, 'that of the event')
  for (const name of ['webhook-timestamp', 'webhook-signature'] as const)
    assert.notEqual(first.headers[name], second.headers[name])
  const [old = assert.fail(), fresh = assert.fail()] = [before.data.outputs[0], now.data.outputs[0]]
  assert.ok(Date.parse(fresh.url_expires_at) > Date.parse(old.url_expires_at))
  assert.notEqual(fresh.url, old.url)
})

test('a delivery whose process is lost is made by another, with the same id', async () => {
  const id = await add()
  await untilState(id, 'waiting')
  const { redis } = announced.services
  const options = { connection: redis.duplicate({ maxRetriesPerRequest: null }), prefix: context.keys.bullmq, lockDuration: 50 }
  const lost = new Worker(deliverWebhookJob.queue, null, { ...options, autorun: false })
  assert.equal((await lost.getNextJob('lost'))?.id, terminalDeliveryId(id))
  await lost.close(true)
  options.connection.disconnect()
  await start()
  await untilState(id, 'completed')
  assert.deepEqual(
    receiver.requests.map(({ headers }) => headers['webhook-id']),
    [terminalDeliveryId(id)]
  )
  assert.deepEqual(await outcomesOf(id), ['delivered'], 'what was lost used up no attempt')
})

test('one that is told to stop ends what is under way, and leaves the rest', async () => {
  const held: (() => void)[] = []
  receiver.answer = (_request, response) => void held.push(() => response.writeHead(204).end())
  await start()
  const ids = await Promise.all(Array.from({ length: 2 }, () => add()))
  await until('both under way', () => held.length === ids.length)
  const stopped = Promise.all(opened.splice(0).map((deliveries) => deliveries.stop()))
  const late = await add()
  for (const answer of held) answer()
  await stopped
  assert.deepEqual(await Promise.all(ids.map(outcomesOf)), [['delivered'], ['delivered']])
  await untilState(late, 'waiting')
  assert.equal(receiver.requests.length, 2)
})

test('what is no end is tried three times', async () => {
  receiver.answer = (_request, response) => void response.writeHead(500).end()
  await start({ WEBHOOK_RETRY_DELAYS_SECONDS: '0.05,0.05,0.05,0.05,0.05' })
  const { deliveryQueue } = announced.services
  const { attempts, backoff } = deliverWebhookJob
  const data: DeliverWebhookPayload = {
    version: 1,
    owner: OWNER,
    generation_id: null,
    url: receiver.url,
    base: 'http://api.test',
    event: 'webhook.test'
  }
  const jobId = liveDeliveryId(newGenerationId(), 'generation.started', '')
  await deliveryQueue.add(deliverWebhookJob.queue, data, { jobId, attempts, backoff })
  await until('given up', async () => (await deliveryQueue.getJobState(jobId)) === 'failed')
  assert.equal(receiver.requests.length, 3)
})

test('one that is deleted while a request is under way leaves nothing put aside', async () => {
  const held: (() => void)[] = []
  receiver.answer = (_request, response) => void held.push(() => response.writeHead(503).end())
  await start({ WEBHOOK_RETRY_DELAYS_SECONDS: '60' })
  const id = await add()
  await until('under way', () => held.length === 1)
  await erase(announced.services, OWNER, id)
  for (const answer of held) answer()
  await untilState(id, 'delayed')
  assert.deepEqual(await outcomesOf(id), ['rejected'])
  assert.equal((await jobOf(id)).data.kept, undefined)
})

test('attempts are counted; the log names the host, and nothing else of a URL', async () => {
  const registry = await start()
  const secret = 'token-in-the-path'
  const id = await add(`${receiver.url}/${secret}`)
  await untilState(id, 'completed')
  const text = await registry.metrics()
  assert.match(text, /nextscale_webhook_attempts_total\{outcome="delivered",event="generation.expired"\} 1\n/)
  assert.match(text, /nextscale_webhook_attempt_seconds_count 1\n/)
  const lines = context.logLines.filter((line) => line.includes(terminalDeliveryId(id)))
  assert.ok(lines.some((line) => line.includes(`"host":"${new URL(receiver.url).host}"`)))
  assert.ok(!context.logLines.some((line) => line.includes(secret)))
})
