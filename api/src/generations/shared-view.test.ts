import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { OWNER } from '../owner.ts'
import { connectProducer } from '../redis/connect.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { openGenerations } from './open.ts'
import type { GenerationReader } from './reader.ts'
import { createSharedView } from './shared-view.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const store = { link: () => Promise.reject(new Error('nothing is stored')) }
const streamTokens = { mint: () => undefined, verify: () => Promise.resolve(undefined) }

test('looks of one turn are one look, those of the next see what happened since; links are of whoever asks', async (t) => {
  const { id } = await context.generate()
  const { keys } = context
  const redis = connectProducer(context.server.url, context.app.log)
  t.after(() => redis.disconnect())
  await once(redis, 'ready')
  const { reader } = openGenerations(redis, keys)
  let reads = 0
  const counting: GenerationReader = { ...reader, read: (...which) => (reads++, reader.read(...which)) }
  const view = createSharedView(counting, { store, streamTokens })
  const [one, other] = await Promise.all([view.find(OWNER, id), view.find(OWNER, id)])
  assert.equal(one, other)
  assert.equal(reads, 1)
  const [a, again, b] = await Promise.all(['http://a', 'http://a', 'http://b'].map((base) => view.show(one, base)))
  assert.equal(a, again)
  assert.deepEqual([a?.urls.self, b?.urls.self], [`http://a/v1/generations/${id}`, `http://b/v1/generations/${id}`])
  await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  await setImmediate()
  assert.equal((await view.find(OWNER, id)).standing.status, 'canceled')
  await assert.rejects(view.find('someone-else', id), { code: 'generation_not_found' })
  assert.equal(reads, 3)
})
