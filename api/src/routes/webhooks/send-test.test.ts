import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Problem, testWebhook, type WebhookDelivery } from '@nextscale/openapi'
import { assertKept } from '../../testing/contract.ts'
import { type Deliveries, openDeliveries } from '../../testing/deliveries.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

let open: TestApp
let guarded: TestApp
let deliveries: Deliveries
before(async () => {
  open = await openTestApp({ EGRESS: 'any' })
  guarded = await openTestApp({ QUEUE_LIMIT: '2' })
  deliveries = openDeliveries(open)
})
after(async () => {
  await deliveries.close()
  await open.close()
  await guarded.close()
})

const send = async (context: TestApp, body: unknown) => {
  const response = await post(context.app, '/webhooks/test', body)
  assertKept(testWebhook, response)
  return response
}

test('a test event is due at once, of no generation, and in the log', async () => {
  const response = await send(open, { url: 'http://127.0.0.1:9/hook?of=mine' })
  assert.equal(response.statusCode, 202, response.body)
  const delivery = bodyOf<WebhookDelivery>(response)
  const { event, generation_id, url, status } = delivery
  assert.deepEqual([event, generation_id, url, status], ['webhook.test', null, 'http://127.0.0.1:9/hook?of=mine', 'pending'])
  const { pathname } = new URL(String(response.headers['location']))
  assert.equal(pathname, `/v1/webhook-deliveries/${delivery.id}`)
  assert.deepEqual(bodyOf<WebhookDelivery>(await open.app.inject(pathname)), delivery)
  const { data } = bodyOf<{ data: WebhookDelivery[] }>(await open.app.inject('/webhook-deliveries'))
  assert.deepEqual(data, [delivery])
  const job = await deliveries.take()
  assert.deepEqual([job.id, job.data.event, job.data.owner], [delivery.id, 'webhook.test', 'local'])
  assert.ok(job.data.base.startsWith('http://'))
  await deliveries.deliver(job)
  assert.equal(bodyOf<WebhookDelivery>(await open.app.inject(pathname)).status, 'delivered')
})

test('a URL that nothing is sent to is refused at its field, and nothing is made', async () => {
  for (const url of ['https://10.0.0.1/hook', 'http://example.com/hook', 'https://169.254.169.254/latest']) {
    const response = await send(guarded, { url })
    const { code, errors } = bodyOf<Problem>(response)
    assert.deepEqual([response.statusCode, code, errors[0]?.pointer], [422, 'webhook_url_refused', '/url'], response.body)
  }
  assert.deepEqual(await guarded.redis.keys('*deliveries*'), [])
})

test('what is no URL, or more than one, is refused at its field', async () => {
  for (const body of [{}, { url: 'nowhere' }, { url: 'https://example.com', events: [] }, []])
    assert.equal((await send(open, body)).statusCode, 400)
})

test('as many as may wait for the control process are taken, and no more', async () => {
  const queue = openDeliveries(guarded)
  for (let index = 0; index < 2; index += 1) await queue.add()
  let refused = await send(guarded, { url: 'https://1.1.1.1/hook' })
  await until('it is refused', async () => {
    if (refused.statusCode !== 503) refused = await send(guarded, { url: 'https://1.1.1.1/hook' })
    return refused.statusCode === 503
  })
  const { code, detail } = bodyOf<Problem>(refused)
  assert.equal(code, 'queue_full')
  assert.match(detail, /webhook deliveries are waiting/)
  await queue.close()
})
