import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../build-app.ts'
import { readConfig } from '../config.ts'
import { freePort, startRedis } from '@nextscale/platform/testing'
import { modelCard } from '../testing/model-card.ts'
import { bodyOf, openTestApp, post, untilReady } from '../testing/test-app.ts'
import { Redis } from 'ioredis'
import { type Generation, redisKeys } from '@nextscale/openapi'

const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const DELIVERY_ID = 'whd_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const LIMIT_MS = 2000

/** Every route that needs Redis, all at once; fails unless each is refused in time. */
const assertUnavailable = async (app: FastifyInstance): Promise<void> => {
  const startedAt = performance.now()
  const responses = await Promise.all([
    post(app, '/generate', {}),
    app.inject(`/generations/${ID}`),
    app.inject(`/generations/${ID}?wait=30`),
    app.inject('/generations'),
    app.inject({ method: 'POST', url: `/generations/${ID}/cancel` }),
    app.inject({ method: 'DELETE', url: `/generations/${ID}` }),
    app.inject('/webhook-deliveries'),
    app.inject(`/webhook-deliveries/${DELIVERY_ID}`),
    app.inject({ method: 'POST', url: `/webhook-deliveries/${DELIVERY_ID}/redeliver` }),
    post(app, '/webhooks/test', { url: 'https://1.1.1.1/hook' }),
    app.inject('/webhooks/secret'),
    app.inject({ method: 'POST', url: '/webhooks/secret/rotate' }),
    app.inject('/readyz')
  ])
  const elapsedMs = performance.now() - startedAt
  assert.ok(elapsedMs < LIMIT_MS, `${elapsedMs} ms`)
  for (const response of responses) {
    assert.equal(response.statusCode, 503, response.body)
    assert.equal(bodyOf<{ code: string }>(response).code, 'queue_unavailable')
    assert.ok(Number(response.headers['retry-after']) > 0)
  }
  assert.equal((await app.inject('/healthz')).statusCode, 200)
}

test('while Redis is down, everything that needs it is a 503 at once; when it is back, so is the API', async () => {
  const context = await openTestApp()
  await context.server.stop()
  await assertUnavailable(context.app)
  const again = await startRedis(context.server.port)
  try {
    await context.announce(modelCard())
    await untilReady(context.app)
    assert.equal((await context.generate()).status, 'queued')
  } finally {
    await context.close()
    await again.stop()
  }
})

test('while Redis takes connections and is silent, answers still come within two seconds', async () => {
  const context = await openTestApp()
  try {
    context.server.freeze()
    await assertUnavailable(context.app)
    await assertUnavailable(context.app)
    context.server.thaw()
    await untilReady(context.app)
    assert.equal((await context.generate()).status, 'queued')
  } finally {
    await context.close()
  }
})

test('an API that starts before Redis says so until Redis is there', async () => {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'nextscale-objects-'))
  const config = readConfig({ REDIS_URL: `redis://127.0.0.1:${port}`, OBJECT_DIR: directory, LOG_LEVEL: 'silent' })
  const app = await buildApp(config)
  await assertUnavailable(app)
  const server = await startRedis(port)
  const redis = new Redis(server.url)
  await redis.hset(redisKeys(config.redisPrefix).models, 'emoji-32', JSON.stringify(modelCard()))
  await untilReady(app)
  assert.equal((await post(app, '/generate', {})).statusCode, 202)
  await app.close()
  redis.disconnect()
  await server.stop()
  await rm(directory, { recursive: true })
})

test('a Redis without memory is a full queue; reading, canceling and deleting go on', async () => {
  const context = await openTestApp()
  try {
    const { id } = await context.generate()
    const { id: other } = await context.generate()
    await context.redis.config('SET', 'maxmemory-policy', 'noeviction')
    await context.redis.config('SET', 'maxmemory', '1')
    const response = await post(context.app, '/generate', {})
    assert.equal(response.statusCode, 503)
    assert.equal(bodyOf<{ code: string }>(response).code, 'queue_full')
    assert.equal((await context.app.inject(`/generations/${id}`)).statusCode, 200)
    const canceled = await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
    assert.deepEqual([canceled.statusCode, bodyOf<Generation>(canceled).status], [200, 'canceled'])
    assert.deepEqual(await context.redis.zrange(context.queue.toKey('prioritized'), '0', '-1'), [other])
    assert.equal((await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })).statusCode, 204)
    assert.equal((await context.app.inject(`/generations/${id}`)).statusCode, 410)
  } finally {
    await context.close()
  }
})

test('a Redis that refuses writes is unavailable, not broken', async () => {
  const context = await openTestApp()
  try {
    await context.redis.config('SET', 'min-replicas-to-write', '1')
    const response = await post(context.app, '/generate', {})
    assert.equal(bodyOf<{ code: string }>(response).code, 'queue_unavailable')
  } finally {
    await context.close()
  }
})

test('an outage is logged when it begins and when it ends, not all the time', async () => {
  const context = await openTestApp()
  await context.server.stop()
  await new Promise((resolve) => setTimeout(resolve, 600))
  const again = await startRedis(context.server.port)
  await context.announce(modelCard())
  await untilReady(context.app)
  await context.close()
  await again.stop()
  const lines = context.logLines.filter((line) => /connection to Redis is lost|cannot be reached; trying/.test(line))
  assert.equal(lines.length, 1, lines.join(''))
  assert.equal(context.logLines.filter((line) => line.includes('Redis is connected')).length, 2)
})
