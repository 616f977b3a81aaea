import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from '../testing/index.ts'
import { createReadiness, redisAnswers } from './readiness.ts'

test('a process that stops is not ready, whatever else', async () => {
  const readiness = createReadiness('Something loads.')
  assert.equal(await readiness.lack(), 'Something loads.')
  readiness.needs(() => undefined)
  assert.equal(await readiness.lack(), undefined)
  readiness.stop()
  readiness.needs(() => undefined)
  assert.equal(await readiness.lack(), 'This process is stopping.')
})

test('of a Redis that is silent it is known within a second, and asked once however many probes come', async () => {
  const server = await startRedis()
  try {
    const lack = redisAnswers(server.redis)
    assert.equal(await lack(), undefined)
    server.freeze()
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 100 }, async () => lack()))
    assert.deepEqual(new Set(answers), new Set(['Redis does not answer.']))
    assert.ok(performance.now() - began < 1_500)
    server.thaw()
    await server.redis.ping()
    assert.equal(await lack(), undefined)
    assert.match(await server.redis.info('commandstats'), /cmdstat_ping:calls=[1-5],/)
  } finally {
    await server.stop()
  }
})
