import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { Agent, request } from 'undici'
import { inLanes } from './in-lanes.ts'

const CHUNK = 1000
/** Base64 of a signature, and what else a delivery carries besides its body. */
const HEADERS = {
  'content-type': 'application/json',
  'user-agent': 'Nextscale-Webhooks/0.0.0',
  'webhook-id': 'whd_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  'webhook-timestamp': '1700000000',
  'webhook-signature': `v1,${'A'.repeat(43)}=`
}

/** Jobs/s of a BullMQ worker that does nothing with them. */
export const bareJobsPerSecond = async (redisUrl: string, count: number, concurrency: number): Promise<number> => {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const options = { connection, prefix: '{bare}' }
  const queue = new Queue('bare', options)
  const job = { name: 'bare', data: { url: 'x'.repeat(200) }, opts: { attempts: 50, removeOnComplete: { age: 86_400 } } }
  for (let added = 0; added < count; added += CHUNK) {
    await queue.addBulk(Array.from({ length: Math.min(CHUNK, count - added) }, () => job))
  }
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  let done = 0
  let begun = 0
  const processor = async () => void (begun ||= performance.now())
  const worker = new Worker('bare', processor, { ...options, concurrency })
  worker.on('completed', () => {
    if (++done === count) resolve()
  })
  await ended
  const seconds = (performance.now() - begun) / 1000
  await worker.close()
  await queue.obliterate({ force: true })
  await queue.close()
  connection.disconnect()
  return count / seconds
}

/** Posts/s of undici alone, to these URLs in turn. */
export const barePostsPerSecond = async (urls: readonly string[], sizeBytes: number, connections: number): Promise<number> => {
  const dispatcher = new Agent()
  const body = 'x'.repeat(sizeBytes)
  const begun = performance.now()
  await inLanes(connections, urls.length, async (index) => {
    const answer = await request(urls[index] ?? '', { method: 'POST', headers: HEADERS, body, dispatcher })
    await answer.body.text()
  })
  const seconds = (performance.now() - begun) / 1000
  await dispatcher.close()
  return urls.length / seconds
}
