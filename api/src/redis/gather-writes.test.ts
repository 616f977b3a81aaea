import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { startRedis } from '@nextscale/platform/testing'
import { createGatheredWrites } from './gather-writes.ts'

/** A Redis connection through a proxy that tells what arrived in which piece. */
const connectThroughProxy = async (port: number) => {
  const pieces: string[] = []
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', (piece) => pieces.push(piece.toString()))
    client.pipe(upstream).pipe(client)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const redis = new Redis((proxy.address() as AddressInfo).port, '127.0.0.1', { maxRetriesPerRequest: null })
  await redis.ping()
  pieces.length = 0
  return {
    redis,
    pieces,
    close: () => {
      redis.disconnect()
      proxy.close()
    }
  }
}

test('commands of one turn leave in one write, those of later turns by themselves, and all are answered', async () => {
  const server = await startRedis()
  const { redis, pieces, close } = await connectThroughProxy(Number(new URL(server.url).port))
  const writes = createGatheredWrites(redis)
  const increase = () => {
    writes.gather()
    return redis.incr('count')
  }
  const first = await Promise.all(Array.from({ length: 16 }, increase))
  assert.deepEqual(
    first,
    Array.from({ length: 16 }, (_, i) => i + 1)
  )
  assert.equal(pieces.length, 1)
  assert.equal(await increase(), 17)
  assert.equal(pieces.length, 2)
  assert.equal(await redis.incr('count'), 18, 'nothing is held back that was not asked to be')
  close()
  await server.stop()
})

test('of many commands in one turn the first sixteen leave while the others are still made', async () => {
  const server = await startRedis()
  const { redis, close } = await connectThroughProxy(Number(new URL(server.url).port))
  const writes = createGatheredWrites(redis)
  const heldBytes: number[] = []
  const answers = Array.from({ length: 20 }, () => {
    writes.gather()
    const answer = redis.incr('count')
    heldBytes.push(redis.stream.writableLength)
    return answer
  })
  const [one = 0] = heldBytes
  assert.deepEqual(
    heldBytes,
    Array.from({ length: 20 }, (_, i) => ((i % 16) + 1) * one)
  )
  assert.equal((await Promise.all(answers)).at(-1), 20)
  close()
  await server.stop()
})

test('members of one turn are added with one command per set, and everyone hears when it fails', async () => {
  const server = await startRedis()
  const { redis, pieces, close } = await connectThroughProxy(Number(new URL(server.url).port))
  const writes = createGatheredWrites(redis)
  await Promise.all([writes.addToSet('a', 1, 'x'), writes.addToSet('b', 2, 'y'), writes.addToSet('a', 3, 'z')])
  assert.deepEqual(pieces.join('').match(/zadd/g)?.length, 2)
  assert.deepEqual(await redis.zrange('a', '0', '-1', 'WITHSCORES'), ['x', '1', 'z', '3'])
  assert.deepEqual(await redis.zrange('b', '0', '-1', 'WITHSCORES'), ['y', '2'])
  await redis.set('c', 'no set')
  const outcomes = await Promise.allSettled([
    writes.addToSet('c', 1, 'x'),
    writes.addToSet('a', 4, 'w'),
    writes.addToSet('c', 2, 'y')
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected']
  )
  close()
  await server.stop()
})

test('a connection that breaks while writes are held back is not left corked', async () => {
  const server = await startRedis()
  const { redis, close } = await connectThroughProxy(Number(new URL(server.url).port))
  const writes = createGatheredWrites(redis)
  writes.gather()
  redis.disconnect(true)
  await once(redis, 'ready')
  writes.gather()
  assert.equal(await redis.ping(), 'PONG')
  close()
  await server.stop()
})
