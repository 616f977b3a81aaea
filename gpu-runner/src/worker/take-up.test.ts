import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CancelMark, generateImageJob, redisKeys } from '@nextscale/openapi'
import { startRedis } from '@nextscale/platform/testing'
import { createTakeUp } from './take-up.ts'

test('a take-up says how a generation ended while it waited, asks Redis for the time, and lists it for removal', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const { redis } = server
  const keys = redisKeys('test')
  const takeUp = createTakeUp(redis, keys, 'default')
  const endAfter = async (mark: Partial<CancelMark> | null) => {
    if (mark)
      await redis.set(keys.cancelMark('gen_a'), JSON.stringify({ canceled_at: 1, created_at: 1, payload: PAYLOAD, ...mark }))
    return (await takeUp('gen_a', 100)).ended
  }
  assert.equal(await endAfter(null), null)
  assert.equal(await endAfter({}), 'canceled')
  assert.equal(await endAfter({ outcome: 'expired' }), 'expired')
  assert.equal(await endAfter({ outcome: 'deadline' }), 'deadline')
  const [seconds] = await redis.time()
  assert.ok(Math.abs((await takeUp('gen_a', 100)).now - Number(seconds) * 1000) <= 2000)
  const removableAt = Number(await redis.zscore(keys.expiry, 'gen_a'))
  assert.ok(removableAt > Date.now() + 90_000 && removableAt <= Date.now() + 100_000)
  await redis.hset(keys.job(generateImageJob.queue, 'gen_b'), { faults: 2, aside: 3 })
  const { ended, faults, timesAside } = await takeUp('gen_b', 100)
  assert.deepEqual([ended, faults, timesAside], [null, 2, 3])
})

const PAYLOAD = {
  version: 1,
  owner: 'local',
  metadata: {},
  label: null,
  input: {
    model: 'm',
    model_revision: 'r',
    class_label: null,
    class_name: null,
    num_images: 1,
    seed: 1,
    cfg: 0,
    top_k: 0,
    top_p: 1,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'normal'
  }
} satisfies CancelMark['payload']
