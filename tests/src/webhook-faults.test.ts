import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Generation, WebhookAttempt, WebhookDelivery } from '@nextscale/openapi'
import { asProblem } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { answer, endless, hang, reset, type ScriptedReceiver, startScriptedReceiver } from './support/scripted-receiver.ts'
import { until } from './support/until.ts'

const TIMEOUT_MS = 800
/** Slow, and yet in time on a machine that has other things to do. */
const SLOW_MS = TIMEOUT_MS / 2

let service: Deployment
let receiver: ScriptedReceiver
let other: ScriptedReceiver
before(async () => {
  const env = {
    EGRESS: 'any',
    WEBHOOK_TIMEOUT_MS: String(TIMEOUT_MS),
    WEBHOOK_RETRY_DELAYS_SECONDS: '0.2,0.2,0.2,0.2,1,1,1,1,1,1,1,1,1,1,1',
    WEBHOOK_CONCURRENCY: '6',
    WEBHOOK_PER_HOST: '2'
  }
  service = await deploy({ env })
  receiver = await startScriptedReceiver()
  other = await startScriptedReceiver()
})
after(async () => {
  await receiver?.stop()
  await other?.stop()
  await service.close()
})
/** A case that fails half way must not misbehave on in the next. */
afterEach(async () => {
  for (const one of [receiver, other]) Object.assign(one, { script: [], otherwise: answer(204) })
  await receiver.stop()
  await receiver.start()
})

const send = async (url = receiver.url): Promise<string> => {
  const { status, body } = await service.client.send('post', '/v1/webhooks/test', (sent) => sent.send({ url }))
  assert.equal(status, 202, JSON.stringify(body))
  return (body as WebhookDelivery).id
}
const read = async (id: string) => (await service.client.send('get', `/v1/webhook-deliveries/${id}`)).body as WebhookDelivery
/** The delivery once it is delivered or given up. */
const ended = (id: string): Promise<WebhookDelivery> =>
  until(`${id} has ended`, async () => {
    const delivery = await read(id)
    return delivery.status !== 'pending' && delivery
  })
const requestsOf = (id: string) => [...receiver.received, ...other.received].filter((request) => request.id === id)
const brief = ({ outcome, status_code: status }: WebhookAttempt) => [outcome, status]

test('a receiver that is slow, but in time, is delivered to at once', async () => {
  receiver.script = [answer(200, { delayMs: SLOW_MS })]
  const { attempts, status } = await ended(await send())
  assert.deepEqual([status, attempts.map(brief)], ['delivered', [['delivered', 200]]])
  assert.ok((attempts[0]?.latency_ms ?? 0) >= SLOW_MS - 10)
})

const FAULTS = [
  ['that never answers', hang, ['timeout', null]],
  ['that resets the connection', reset, ['unreachable', null]],
  ['that answers 500', answer(500), ['rejected', 500]],
  ['that answers 404', answer(404), ['rejected', 404]],
  ['that never ends its refusal', endless(500), ['rejected', 500]],
  ['that dribbles its answer without an end', answerInDrops(), ['timeout', null]]
] as const

/** Headers and bytes that keep coming, one at a time: never silent, and never done. */
function answerInDrops() {
  return (response: Parameters<typeof hang>[0]) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('.'), 50)
    response.on('close', () => clearInterval(timer))
  }
}

for (const [name, fault, attempt] of FAULTS) {
  test(`a receiver ${name} is sent the same again, with the same id`, async () => {
    receiver.script = [fault]
    const id = await send()
    const { attempts, status } = await ended(id)
    assert.deepEqual([status, attempts.map(brief)], ['delivered', [attempt, ['delivered', 204]]])
    assert.equal(requestsOf(id).length, 2)
  })
}

test('a receiver that takes it with a body without end has taken it, and little of that body is kept', async () => {
  receiver.script = [endless(200)]
  const { attempts, status } = await ended(await send())
  assert.deepEqual([status, attempts.map(brief)], ['delivered', [['delivered', 200]]])
  assert.equal(attempts[0]?.response?.length, 1024)
})

for (const status of [301, 302, 307, 308]) {
  test(`a redirect by ${status} is not followed`, async () => {
    const before = other.received.length
    receiver.script = [answer(status, { headers: { location: other.url } })]
    const { attempts } = await ended(await send())
    assert.deepEqual(attempts.map(brief), [
      ['rejected', status],
      ['delivered', 204]
    ])
    assert.equal(other.received.length, before)
  })
}

test('410 is the last word', async () => {
  receiver.otherwise = answer(410)
  const id = await send()
  const { attempts, status, next_attempt_at: next } = await ended(id)
  assert.deepEqual([status, attempts.map(brief), next], ['failed', [['rejected', 410]], null])
  assert.equal(requestsOf(id).length, 1)
})

for (const [form, value] of [
  ['seconds', () => '2'],
  // A date has no fractions: one that is cut off must still be two seconds away.
  ['a date', () => new Date(Date.now() + 3000).toUTCString()]
] as const) {
  test(`a receiver that is busy is left alone for as long as it says, in ${form}`, async () => {
    receiver.script = [answer(429, { headers: { 'retry-after': value() } })]
    const id = await send()
    assert.equal((await ended(id)).status, 'delivered')
    const [first, second] = requestsOf(id)
    assert.ok(first && second)
    assert.ok(second.at - first.at >= 1900, `${second.at - first.at} ms`)
  })
}

test('a test event is tried three times, and the end of a generation by the whole schedule', async () => {
  receiver.script = Array.from({ length: 3 }, () => answer(500))
  const { attempts, status } = await ended(await send())
  assert.deepEqual([status, attempts.length], ['failed', 3])
  receiver.script = Array.from({ length: 4 }, () => answer(500))
  const { id } = await service.client.generate({ webhook: { url: receiver.url } })
  await until('it is delivered', async () => (await service.client.read(id)).webhook?.status === 'delivered')
  assert.equal((await service.client.read(id)).webhook?.attempts, 5)
})

test('a host that hangs holds up no delivery to another', async () => {
  receiver.otherwise = hang
  // More than the process has under way at once, all at the head of the queue.
  const stuck: string[] = []
  for (let i = 0; i < 18; i++) stuck.push(await send())
  const quick = await Promise.all(Array.from({ length: 5 }, () => send(other.url)))
  for (const id of quick) assert.deepEqual((await ended(id)).attempts.map(brief), [['delivered', 204]])
  const untried = (await Promise.all(stuck.map(read))).filter(({ attempts }) => attempts.length === 0)
  assert.ok(untried.length > 0, 'nobody waited for those that hang')
  receiver.otherwise = answer(204)
  for (const id of stuck) assert.equal((await ended(id)).status, 'delivered')
})

test('generations do not wait for a receiver that is down, and when it is back all is delivered', async () => {
  await receiver.stop()
  const made = await Promise.all(
    Array.from({ length: 30 }, (_, seed) => service.client.generate({ seed, webhook: { url: receiver.url } }))
  )
  const ids = made.map(({ id }) => id)
  for (const id of ids) {
    const { status, webhook } = await service.client.finish(id)
    assert.deepEqual([status, webhook?.status], ['succeeded', 'pending'])
  }
  await until('one was tried', async () => (await service.client.read(ids[0] ?? '')).webhook?.attempts !== 0)
  await receiver.start()
  for (const id of ids) {
    await until(`${id} is delivered`, async () => (await service.client.read(id)).webhook?.status === 'delivered')
    const requests = receiver.about(id)
    assert.equal(requests.length, 1, 'one that was taken is not sent again')
    assert.deepEqual([requests[0]?.id, requests[0]?.event.type], [id.replace('gen_', 'whd_'), 'generation.succeeded'])
  }
})

test('a control process killed in the middle sends again only under the same id, and loses nothing', async () => {
  receiver.otherwise = answer(204, { delayMs: 100 })
  const made = await Promise.all(Array.from({ length: 20 }, () => service.client.generate({ webhook: { url: receiver.url } })))
  await until('some are delivered', async () => made.some(({ id }) => receiver.about(id).length > 0))
  await service.control().end('SIGKILL')
  await service.startControl()
  for (const { id } of made) {
    await until(`${id} is delivered`, async () => (await service.client.read(id)).webhook?.status === 'delivered')
    assert.deepEqual(new Set(receiver.about(id).map((request) => request.id)), new Set([id.replace('gen_', 'whd_')]))
  }
})

test('a Redis killed and started again while deliveries wait and are under way loses none', async () => {
  await receiver.stop()
  const make = () => service.client.generate({ webhook: { url: receiver.url } })
  const ended = await Promise.all(Array.from({ length: 10 }, make))
  for (const { id } of ended) await service.client.finish(id)
  await service.redis.stop('SIGKILL')
  await service.redis.start()
  await receiver.start()
  const later = await until('generations are accepted', async () => make().catch(() => undefined))
  for (const { id } of [...ended, later]) {
    const isDelivered = async () => (await service.client.read(id).catch(() => undefined))?.webhook?.status === 'delivered'
    await until(`${id} is delivered`, isDelivered)
    assert.deepEqual(new Set(receiver.about(id).map((request) => request.id)), new Set([id.replace('gen_', 'whd_')]))
  }
})

test('without EGRESS=any a private or unencrypted target is refused, at every place that takes one', async (t) => {
  const guarded = await deploy()
  t.after(() => guarded.close())
  const { client } = guarded
  const draft = await client.finish((await client.generate({ stop_at_scale: 2 })).id)
  const before = receiver.received.length
  for (const url of [
    receiver.url,
    'https://127.0.0.1/hook',
    'https://[::1]/',
    'https://2130706433/',
    'https://169.254.169.254/'
  ]) {
    for (const [path, body, pointer] of [
      ['/generate', { webhook: { url } }, '/webhook/url'],
      [`/v1/generations/${draft.id}/continue`, { webhook: { url } }, '/webhook/url'],
      ['/v1/webhooks/test', { url }, '/url']
    ] as const) {
      const response = await client.send('post', path, (sent) => sent.send(body))
      const { code, errors } = asProblem(response)
      const where = `${path} with ${url}`
      assert.deepEqual(
        [response.status, code, errors?.map((error) => error.pointer)],
        [422, 'webhook_url_refused', [pointer]],
        where
      )
    }
  }
  const { data } = (await client.send('get', '/v1/generations')).body as { data: Generation[] }
  assert.deepEqual(
    data.map(({ id }) => id),
    [draft.id]
  )
  assert.equal(receiver.received.length, before)
})
