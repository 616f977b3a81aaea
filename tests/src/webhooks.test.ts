import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { verifyWebhook } from '@nextscale/sdk/source'
import type {
  Generation,
  WebhookDelivery,
  WebhookDeliveryList,
  WebhookEvent,
  WebhookKeySet,
  WebhookSecret
} from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { Webhook } from 'standardwebhooks'
import { asProblem, type Client, createClient } from './support/client.ts'
import { createKey } from './support/create-key.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { answer, hang, type Received, type ScriptedReceiver, startScriptedReceiver } from './support/scripted-receiver.ts'
import { until } from './support/until.ts'

const ENDS = ['generation.succeeded', 'generation.failed', 'generation.canceled', 'generation.expired'] as const
const LIVE = ['generation.started', 'generation.progress', 'generation.output'] as const
const folder = (path: string) => fileURLToPath(new URL(`../../gpu-runner/${path}`, import.meta.url))
/** Sixteen pictures one after another: long enough to be caught in the act, and longer than a second. */
const LONG = { model: 'var-d2-256', num_images: 16 }

let service: Deployment
let client: Client
let receiver: ScriptedReceiver
let secret: string
before(async () => {
  const signing = { WEBHOOK_SIGNING_KEYS: `whsk_${randomBytes(32).toString('base64')}` }
  const quick = { SWEEP_INTERVAL_MS: '200', WEBHOOK_TIMEOUT_MS: '2000', WEBHOOK_RETRY_DELAYS_SECONDS: '0.3,0.3,600' }
  const models = ['models/emoji-32', 'fixtures/var-d2-256'].map(folder).join(',')
  service = await deploy({ env: { EGRESS: 'any', MODELS: models, MAX_BATCH: '1', CONCURRENCY: '1', ...signing, ...quick } })
  client = createClient(service.baseUrl, await createKey(service, 'admin'))
  receiver = await startScriptedReceiver()
  secret = ((await client.send('get', '/v1/webhooks/secret')).body as WebhookSecret).secret
})
after(async () => {
  await receiver?.stop()
  await service.close()
})

const webhook = (...events: string[]) => ({ webhook: { url: receiver.url, ...(events.length > 0 && { events }) } })

const deliveryOf = async (generation: Generation): Promise<WebhookDelivery> => {
  const { body, status } = await client.send('get', `/v1/webhook-deliveries/${generation.webhook?.delivery_id}`)
  assert.equal(status, 200)
  return body as WebhookDelivery
}

/** The generation once its end was announced, or not asked for. */
const settled = (id: string, status = 'delivered'): Promise<Generation> =>
  until(`the webhook of ${id} is ${status}`, async () => {
    const generation = await client.read(id)
    return generation.webhook?.status === status && generation
  })

/** The body, once the library of Standard Webhooks, the SDK with the secret and the SDK with the published keys agree on it. */
const verified = async ({ text, headers }: Received): Promise<WebhookEvent> => {
  const event = new Webhook(secret).verify(text, headers as Record<string, string>) as WebhookEvent
  const { body: keys } = await client.send('get', '/v1/webhooks/keys')
  for (const key of [secret, keys as WebhookKeySet]) {
    const found = await verifyWebhook(text, headers, key)
    assert.deepEqual([found.id, found.event], [headers['webhook-id'], event])
  }
  return event
}

/** The only request about a generation's end. */
const only = async (generation: Generation) => {
  const [request = assert.fail(`nothing arrived of ${generation.id}`), ...others] = receiver.about(generation.id)
  assert.deepEqual(others, [])
  const event = await verified(request)
  assert.equal(request.id, generation.webhook?.delivery_id)
  assert.equal(event.type, `generation.${generation.status}`)
  assert.equal(event.timestamp, generation.completed_at)
  return event.data as Generation
}

const withoutRunner = async (work: () => Promise<void>): Promise<void> => {
  await service.runner().end()
  try {
    await work()
  } finally {
    if (!service.runner().isRunning()) await service.startRunner()
  }
}

test('success is announced once, signed, with links that work, and its status goes from waiting to delivered', async () => {
  await withoutRunner(async () => {
    const { id, webhook: made } = await client.generate({
      class_name: 'fox',
      metadata: { order: '17' },
      label: 'a',
      ...webhook()
    })
    assert.deepEqual([made?.status, made?.attempts, made?.events, made?.url], ['waiting', 0, [...ENDS], receiver.url])
    receiver.script = [hang]
    await service.startRunner()
    const pending = await settled(id, 'pending')
    assert.equal(pending.status, 'succeeded')
    await until('a request was made', async () => receiver.about(id).length === 1)
    const told = await settled(id)
    const [first, second] = receiver.about(id)
    assert.ok(first && second)
    assert.equal(told.webhook?.attempts, 2)
    assert.deepEqual([first.id, second.id], [told.webhook?.delivery_id, told.webhook?.delivery_id])
    await verified(first)
    const { data } = await verified(second)
    const { status, outputs, metadata, label } = data as Generation
    assert.deepEqual([status, metadata, label], ['succeeded', { order: '17' }, 'a'])
    const [output = assert.fail()] = outputs
    const picture = await client.fetchPicture(output.url)
    assert.equal(createHash('sha256').update(picture).digest('hex'), output.sha256)
  })
})

test('a failure is announced', async () => {
  await withoutRunner(async () => {
    const { id } = await client.generate({ class_label: 1, ...webhook() })
    // What an API of another release might have queued: no runner here can make it.
    const redis = new Redis(service.redis.url)
    const key = `{nextscale}:generate-image:${id}`
    const data = JSON.parse((await redis.hget(key, 'data')) ?? '{}') as { input: { class_label: number } }
    data.input.class_label = 60
    await redis.hset(key, 'data', JSON.stringify(data))
    redis.disconnect()
    await service.startRunner()
    const { status, error } = await only(await settled(id))
    assert.deepEqual([status, error?.code], ['failed', 'invalid_job'])
  })
})

test('a cancel is announced, of what waits and of what runs', async () => {
  const running = await client.generate({ ...LONG, ...webhook() })
  await until('it runs', async () => (await client.read(running.id)).status === 'running')
  const waiting = await client.generate(webhook())
  await client.cancel(waiting.id)
  const told = await settled(waiting.id)
  assert.equal((await only(told)).started_at, null)
  await client.cancel(running.id)
  assert.ok((await only(await settled(running.id))).started_at !== null)
})

test('what expires and what passes its deadline is announced without anyone asking for it', async () => {
  await withoutRunner(async () => {
    const late = await client.generate({ start_deadline_seconds: 1, ...webhook() })
    const over = await client.generate({ deadline_seconds: 1, ...webhook() })
    await until('two requests', async () => receiver.about(late.id).length + receiver.about(over.id).length === 2)
    assert.equal((await only(await settled(late.id))).status, 'expired')
    const { status, error } = await only(await settled(over.id))
    assert.deepEqual([status, error?.code], ['canceled', 'deadline_exceeded'])
  })
})

test('one that runs past its deadline is announced', async () => {
  const { id } = await client.generate({ ...LONG, deadline_seconds: 1, ...webhook() })
  const { status, error, started_at: startedAt } = await only(await settled(id))
  assert.deepEqual([status, error?.code], ['canceled', 'deadline_exceeded'])
  assert.ok(startedAt !== null)
})

test('only what was asked for is announced', async () => {
  const { id } = await client.generate(webhook('generation.failed', 'generation.canceled'))
  const skipped = await settled(id, 'skipped')
  assert.deepEqual([skipped.status, skipped.webhook?.attempts], ['succeeded', 0])
  const { status, event, attempts } = await deliveryOf(skipped)
  assert.deepEqual([status, event, attempts], ['skipped', 'generation.succeeded', []])
  const wanted = await client.generate(webhook('generation.succeeded'))
  await only(await settled(wanted.id))
  assert.deepEqual(receiver.about(id), [])
})

test('an empty list of events asks for the four ends', async () => {
  const { id } = await client.generate({ webhook: { url: receiver.url, events: [] } })
  assert.deepEqual((await settled(id)).webhook?.events, ENDS)
})

test('the start and the progress of what takes long are announced while it runs', async () => {
  const { id } = await client.generate({ ...LONG, ...webhook('generation.started', 'generation.progress') })
  const heard = (type: string) => async () => receiver.about(id).some(({ event }) => event.type === type)
  await until('its start is announced', heard('generation.started'))
  await until('its progress is announced', heard('generation.progress'))
  await client.cancel(id)
  assert.equal((await settled(id, 'skipped')).status, 'canceled')
  for (const { data } of await Promise.all(receiver.about(id).map(verified))) {
    const { status, completed_at: completedAt } = data as Generation
    assert.ok(['running', 'canceling'].includes(status), status)
    assert.equal(completedAt, null)
  }
})

test('what happens on the way is announced to whoever asks, under ids of its own', async () => {
  const { id } = await client.generate({ num_images: 2, ...webhook(...LIVE, ...ENDS) })
  const told = await settled(id)
  const outputs = (events: WebhookEvent[]) => events.filter(({ type }) => type === 'generation.output')
  await until('every picture was announced', async () => outputs(receiver.about(id).map(({ event }) => event)).length === 2)
  const requests = receiver.about(id)
  const events = await Promise.all(requests.map(verified))
  assert.equal(new Set(requests.map((request) => request.id)).size, requests.length)
  assert.equal(events.filter(({ type }) => type === 'generation.succeeded').length, 1)
  assert.ok(events.filter(({ type }) => type === 'generation.started').length <= 1)
  for (const event of outputs(events)) {
    if (event.type !== 'generation.output') continue
    assert.equal(event.data.generation_id, id)
    const { outputs: stored } = told
    const same = stored.find(({ index }) => index === event.data.output.index)
    assert.equal(same?.sha256, event.data.output.sha256)
    await client.fetchPicture(event.data.output.url)
  }
  const { body } = await client.send('get', `/v1/webhook-deliveries?generation_id=${id}&limit=100`)
  const listed = (body as WebhookDeliveryList).data
  const known = new Set(listed.map((delivery) => delivery.id))
  for (const request of requests) assert.ok(known.has(request.id), `${request.event.type} is not in the log`)
})

test('a continuation is announced by its own webhook, and by none when it names none', async () => {
  const draft = await client.generate({ stop_at_scale: 2, ...webhook() })
  await only(await settled(draft.id))
  const proceed = async (body: object) => {
    const response = await client.send('post', `/v1/generations/${draft.id}/continue`, (sent) => sent.send(body))
    assert.equal(response.status, 202, JSON.stringify(response.body))
    return response.body as Generation
  }
  const announced = await proceed(webhook())
  await only(await settled(announced.id))
  const silent = await proceed({})
  assert.equal(silent.webhook, null)
  assert.equal((await client.finish(silent.id)).webhook, null)
})

test('replays of one request are announced once', async () => {
  const send = () => client.send('post', '/generate', (sent) => sent.set('idempotency-key', 'hook-17').send(webhook()))
  const answers = await Promise.all(Array.from({ length: 10 }, send))
  const [id, ...others] = new Set(answers.map(({ body }) => (body as Generation).id))
  assert.deepEqual([typeof id, others], ['string', []])
  const told = await settled(id ?? '')
  assert.equal(((await send()).body as Generation).id, id)
  await only(told)
  assert.equal((await deliveryOf(told)).attempts.length, 1)
})

const testEvent = async (url = receiver.url): Promise<WebhookDelivery> => {
  const { status, body } = await client.send('post', '/v1/webhooks/test', (sent) => sent.send({ url }))
  assert.equal(status, 202, JSON.stringify(body))
  return body as WebhookDelivery
}
const readDelivery = async (id: string, of = client) => of.send('get', `/v1/webhook-deliveries/${id}`)
const delivered = (id: string, attempts = 1): Promise<WebhookDelivery> =>
  until(`${id} is delivered`, async () => {
    const delivery = (await readDelivery(id)).body as WebhookDelivery
    return delivery.status === 'delivered' && delivery.attempts.length >= attempts && delivery
  })
const requestsOf = (id: string) => receiver.received.filter((request) => request.id === id)

test('a test event arrives, and its answer is on record', async () => {
  receiver.script = [answer(200, { body: 'Thank you. '.repeat(200) })]
  const { id } = await testEvent()
  const { attempts, event } = await delivered(id)
  assert.deepEqual([event, attempts.length, attempts[0]?.status_code], ['webhook.test', 1, 200])
  assert.equal(attempts[0]?.response, 'Thank you. '.repeat(200).slice(0, 1024))
  assert.equal((await verified(requestsOf(id)[0] ?? assert.fail())).type, 'webhook.test')
})

test('what is delivered again has the same id, fresh links and its attempts before', async () => {
  const { id } = await client.generate(webhook())
  const { webhook: told } = await settled(id)
  const deliveryId = told?.delivery_id ?? ''
  const { status } = await client.send('post', `/v1/webhook-deliveries/${deliveryId}/redeliver`)
  assert.equal(status, 202)
  await until('it is there again', async () => receiver.about(id).length === 2)
  const events = await Promise.all(receiver.about(id).map(verified))
  assert.deepEqual(
    receiver.about(id).map((request) => request.id),
    [deliveryId, deliveryId]
  )
  assert.deepEqual(
    events.map(({ type }) => type),
    ['generation.succeeded', 'generation.succeeded']
  )
  for (const { data } of events) await client.fetchPicture((data as Generation).outputs[0]?.url ?? '')
  assert.equal((await delivered(deliveryId, 2)).attempts.length, 2)
})

test('what waits to be tried again is tried at once when it is asked for', async () => {
  receiver.script = [answer(500), answer(500), answer(500)]
  const { id } = await testEvent()
  await until('the schedule has come to its long pause', async () => requestsOf(id).length === 3)
  const { id: generation } = await client.generate(webhook())
  receiver.script = [answer(500), answer(500), answer(500)]
  const { webhook: waiting } = await until('it waits for long', async () => {
    const found = await client.read(generation)
    return found.webhook?.attempts === 3 && found
  })
  assert.equal(waiting?.status, 'pending')
  const again = await client.send('post', `/v1/webhook-deliveries/${waiting?.delivery_id}/redeliver`)
  assert.equal(again.status, 202)
  assert.equal((await settled(generation)).webhook?.attempts, 4)
})

test('after a rotation both secrets verify, and the published keys go on', async () => {
  const { body } = await client.send('post', '/v1/webhooks/secret/rotate')
  const { secret: rotated } = body as WebhookSecret
  assert.notEqual(rotated, secret)
  // A control process may hold the old one for a second.
  const request = await until('one is signed with the new secret', async () => {
    const { id } = await testEvent()
    await delivered(id)
    const [found = assert.fail()] = requestsOf(id)
    return (await verifyWebhook(found.text, found.headers, rotated).catch(() => undefined)) && found
  })
  for (const key of [secret, rotated]) new Webhook(key).verify(request.text, request.headers as Record<string, string>)
  const signatures = String(request.headers['webhook-signature']).split(' ')
  assert.deepEqual(
    signatures.map((signature) => signature.split(',', 1)[0]),
    ['v1', 'v1', 'v1a']
  )
  await verified(request)
  secret = rotated
})

test('each key has its own secret, and sees its own deliveries alone', async () => {
  const other = createClient(service.baseUrl, await createKey(service, 'generate,read,webhooks'))
  const { body } = await other.send('get', '/v1/webhooks/secret')
  assert.notEqual((body as WebhookSecret).secret, secret)
  const { id } = await testEvent()
  await delivered(id)
  for (const response of [await readDelivery(id, other), await other.send('post', `/v1/webhook-deliveries/${id}/redeliver`)])
    assert.deepEqual([response.status, asProblem(response).code], [404, 'delivery_not_found'])
  assert.deepEqual((await other.send('get', '/v1/webhook-deliveries')).body, { data: [], next_cursor: null })
  const made = await other.generate(webhook())
  await until('it is told of', async () => (await other.read(made.id)).webhook?.status === 'delivered')
  const [request = assert.fail()] = receiver.about(made.id)
  await assert.rejects(async () => verifyWebhook(request.text, request.headers, secret))
  await verifyWebhook(request.text, request.headers, (body as WebhookSecret).secret)
})

test('once its generation is deleted a delivery is gone, and nothing more is sent', async () => {
  const done = await client.generate(webhook())
  const { webhook: told } = await settled(done.id)
  assert.equal((await client.send('delete', `/v1/generations/${done.id}`)).status, 204)
  assert.equal((await readDelivery(told?.delivery_id ?? '')).status, 404)

  receiver.script = [answer(500), answer(500), answer(500)]
  const open = await client.generate(webhook())
  const { webhook: state } = await until('it waits to be tried again', async () => {
    const found = await client.read(open.id)
    return found.webhook?.attempts === 3 && found
  })
  assert.equal((await client.send('delete', `/v1/generations/${open.id}`)).status, 204)
  assert.equal((await readDelivery(state?.delivery_id ?? '')).status, 404)
  const redelivered = await client.send('post', `/v1/webhook-deliveries/${state?.delivery_id}/redeliver`)
  assert.equal(redelivered.status, 404)
  assert.equal(receiver.about(open.id).length, 3)
})

test('an end is told after its retention, without what is gone', async () => {
  receiver.script = [answer(503), answer(503), answer(503)]
  const { id } = await client.generate({ retention_seconds: 1, ...webhook() })
  const deliveryId = await until('it waits to be tried again', async () => {
    const [request, , third] = receiver.about(id)
    return third && request?.id
  })
  await until('the generation is gone', async () => (await client.send('get', `/v1/generations/${id}`)).status === 410)
  assert.equal((await client.send('post', `/v1/webhook-deliveries/${deliveryId}/redeliver`)).status, 202)
  await delivered(deliveryId)
  const { type, data } = await verified(receiver.about(id).at(-1) ?? assert.fail())
  assert.deepEqual([type, (data as Generation).outputs, (data as Generation).previews], ['generation.succeeded', [], []])
})
