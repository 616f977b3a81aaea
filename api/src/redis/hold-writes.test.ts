import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { startRedis } from '../testing/redis-server.ts'
import { createWriteHold } from './hold-writes.ts'

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
  const hold = createWriteHold(redis)
  const increase = () => {
    hold()
    return redis.incr('count')
  }
  const first = await Promise.all(Array.from({ length: 20 }, increase))
  assert.deepEqual(
    first,
    Array.from({ length: 20 }, (_, i) => i + 1)
  )
  assert.equal(pieces.length, 1)
  assert.equal(await increase(), 21)
  assert.equal(pieces.length, 2)
  assert.equal(await redis.incr('count'), 22, 'nothing is held back that was not asked to be')
  close()
  await server.stop()
})

test('a connection that breaks while writes are held back is not left corked', async () => {
  const server = await startRedis()
  const { redis, close } = await connectThroughProxy(Number(new URL(server.url).port))
  const hold = createWriteHold(redis)
  hold()
  redis.disconnect(true)
  await once(redis, 'ready')
  hold()
  assert.equal(await redis.ping(), 'PONG')
  close()
  await server.stop()
})
