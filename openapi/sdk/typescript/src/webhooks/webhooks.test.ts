import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Nextscale } from '../client.ts'
import { delivery, DELIVERY_ID, hangUp, json, problem } from '../testing/answers.ts'
import { startStandIn } from '../testing/stand-in.ts'

const secret = { secret: 'whsec_AAAA', created_at: '2026-01-01T12:00:00.000Z', previous_expires_at: null }

describe('webhooks', () => {
  it('deliveries go from page to page, filters and all', async () => {
    await using server = await startStandIn(
      json(200, { data: [delivery(), delivery()], next_cursor: 'c/1' }),
      json(200, { data: [], next_cursor: 'c/2' }),
      json(200, { data: [delivery()], next_cursor: null })
    )
    const found: string[] = []
    for await (const { id } of new Nextscale({ baseUrl: server.url }).webhooks.deliveries({ status: 'failed', limit: 2 }))
      found.push(id)
    assert.equal(found.length, 3)
    const path = '/v1/webhook-deliveries?status=failed&limit=2'
    assert.deepEqual(
      server.seen.map(({ url }) => url),
      [path, `${path}&cursor=c%2F1`, `${path}&cursor=c%2F2`]
    )
  })

  it('deliveries fetch no page before it is asked for', async () => {
    await using server = await startStandIn(json(200, { data: [delivery()], next_cursor: 'more' }))
    const deliveries = new Nextscale({ baseUrl: server.url }).webhooks.deliveries()
    await deliveries.next()
    assert.equal(server.seen.length, 1)
  })

  it('test, redeliver and delivery give the delivery', async () => {
    await using server = await startStandIn(json(202, delivery()))
    const { webhooks } = new Nextscale({ baseUrl: server.url })
    const given = [await webhooks.test('https://x/y'), await webhooks.redeliver(DELIVERY_ID), await webhooks.delivery('../a?b')]
    assert.ok(given.every(({ id }) => id === DELIVERY_ID))
    assert.deepEqual(
      server.seen.map(({ method, url, body }) => [method, url, body]),
      [
        ['POST', '/v1/webhooks/test', '{"url":"https://x/y"}'],
        ['POST', `/v1/webhook-deliveries/${DELIVERY_ID}/redeliver`, ''],
        ['GET', '/v1/webhook-deliveries/..%2Fa%3Fb', '']
      ]
    )
  })

  it('reading the secret is tried again', async () => {
    await using server = await startStandIn(hangUp, json(200, secret))
    assert.deepEqual(await new Nextscale({ baseUrl: server.url }).webhooks.secret(), secret)
  })

  it('rotating it is not: a second rotation would end the secret that receivers know', async () => {
    for (const answer of [hangUp, problem(503, 'queue_unavailable', { retryable: true })]) {
      await using server = await startStandIn(answer, json(200, secret))
      await assert.rejects(new Nextscale({ baseUrl: server.url }).webhooks.rotateSecret())
      assert.equal(server.seen.length, 1)
      assert.deepEqual(await new Nextscale({ baseUrl: server.url }).webhooks.rotateSecret(), secret)
      assert.equal(server.seen[1]?.url, '/v1/webhooks/secret/rotate')
    }
  })

  it('keys are those that are published', async () => {
    await using server = await startStandIn(json(200, { keys: [] }))
    assert.deepEqual(await new Nextscale({ baseUrl: server.url }).webhooks.keys(), { keys: [] })
    assert.equal(server.seen[0]?.url, '/v1/webhooks/keys')
  })
})
