import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { redisKeys } from '@nextscale/openapi'
import { type RedisServer, startRedis, until } from '@nextscale/platform/testing'
import { Redis } from 'ioredis'
import { createKeyMemory } from './any-ever.ts'
import { createKey } from './create.ts'

const keys = redisKeys('nextscale')
const KEY = {
  name: 'a',
  scopes: ['read'],
  limits: { requests_per_minute: null, in_flight: null, streams: null },
  expiresAt: null
} as const

let server: RedisServer
let redis: Redis
before(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
beforeEach(() => redis.flushall())
after(async () => {
  redis.disconnect()
  await server.stop()
})

/** A store that can be away, and a memory whose every look is a new one. */
const open = (marks = new Set<string>()) => {
  const state = { isAway: false, asked: 0 }
  let clock = 0
  const store = {
    mark: async (name: string) => void marks.add(name),
    isMarked: async (name: string) => {
      state.asked += 1
      if (state.isAway) throw new Error('away')
      return marks.has(name)
    }
  }
  const memory = createKeyMemory({ redis, keys, store, now: () => (clock += 10_000) })
  return { memory, state, marks }
}

test('a store that is away keeps nobody out whom it had let in', async () => {
  const { memory, state } = open()
  assert.equal(await memory.anyEver(), false)
  state.isAway = true
  for (let look = 0; look < 3; look += 1) assert.equal(await memory.anyEver(), false)
  assert.equal(state.asked, 1)
})

test('a store that is away from the start opens nothing', async () => {
  const { memory, state } = open()
  state.isAway = true
  await assert.rejects(async () => memory.anyEver(), /away/)
  assert.equal(await redis.exists(keys.keysMade), 0)
})

test('a Redis that lost its data, or came back with older ones, has the store asked again', async () => {
  const { memory, state, marks } = open()
  assert.equal(await memory.anyEver(), false)
  marks.add('keys-made')
  assert.equal(await memory.anyEver(), false)
  await redis.flushall()
  assert.equal(await memory.anyEver(), true)

  await redis.flushall()
  const other = open()
  assert.equal(await other.memory.anyEver(), false)
  other.marks.add('keys-made')
  redis.disconnect(true)
  await once(redis, 'ready')
  await redis.set(keys.keysMade, '0')
  assert.equal(await other.memory.anyEver(), true)
  assert.deepEqual([state.asked, other.state.asked], [2, 2])
})

test('a key that was made is remembered at each place, also one made while the store was asked', async () => {
  const { memory, marks } = open()
  assert.equal(await memory.anyEver(), false)
  await createKey({ redis, keys }, KEY)
  assert.equal(await memory.anyEver(), true)
  await until('it is marked', () => marks.has('keys-made'))
  await redis.del(keys.apiKeys)
  assert.equal(await open().memory.anyEver(), true)

  await redis.flushall()
  const { promise: asked, resolve: answer } = Promise.withResolvers<boolean>()
  const late = createKeyMemory({ redis, keys, store: { mark: async () => undefined, isMarked: () => asked } })
  const looking = late.anyEver()
  await createKey({ redis, keys }, KEY)
  answer(false)
  await looking
  assert.equal(await redis.get(keys.keysMade), '1')
})
