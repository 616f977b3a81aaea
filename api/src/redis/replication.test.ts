import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '@nextscale/openapi'
import { startRedis, until } from '@nextscale/platform/testing'
import { bodyOf, openTestApp, post, untilReady } from '../testing/test-app.ts'
import { modelCard } from '../testing/model-card.ts'

const isInStep = async (server: Awaited<ReturnType<typeof startRedis>>) =>
  String(await server.redis.info('replication')).includes('master_link_status:up')

test('what is accepted is at the replica when it is answered, and is no success while there is none', async (t) => {
  const context = await openTestApp({ REDIS_WAIT_REPLICAS: '1' })
  t.after(() => context.close())
  const { app, server } = context
  await context.announce(modelCard())
  await untilReady(app)

  const alone = await post(app, '/generate', {})
  assert.deepEqual([alone.statusCode, bodyOf<Problem>(alone).code], [503, 'queue_unavailable'])
  assert.match(bodyOf<Problem>(alone).detail ?? '', /^This was done, but the replicas of the queue do not have it yet/)
  assert.equal((await app.inject('/v1/generations')).statusCode, 200)

  const replica = await startRedis(undefined, ['--replicaof', `127.0.0.1 ${server.port}`])
  t.after(() => replica.stop())
  await until('the replica is in step', () => isInStep(replica), { deadlineMs: 20_000 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(app, '/generate', {})))
  const ids = answers.map((answer) => {
    assert.equal(answer.statusCode, 202, answer.body)
    return bodyOf<{ id: string }>(answer).id
  })
  const jobs = await replica.redis.exists(...ids.map((id) => context.keys.job(context.queue.name, id)))
  assert.equal(jobs, ids.length)
  replica.freeze()
  const silent = await post(app, `/v1/generations/${ids[0]}/cancel`, {})
  assert.equal(silent.statusCode, 503)
})
