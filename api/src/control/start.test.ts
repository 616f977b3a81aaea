import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, afterEach, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type GenerateImagePayload, generateImageJob, type RunnerCard, terminalDeliveryId } from '@nextscale/openapi'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { newGenerationId } from '../generations/id.ts'
import { openPoolQueues } from '../pools/queues.ts'
import { openReceiver } from '../testing/receiver.ts'
import { freePort, startRedis } from '@nextscale/platform/testing'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { announcedPayload, type Announced, openAnnounced } from '../testing/webhooks.ts'
import { until } from '@nextscale/platform/testing'

const START = fileURLToPath(new URL('start.ts', import.meta.url))
const QUICK = {
  LOCK_DURATION_MS: '1000',
  STALLED_INTERVAL_MS: '500',
  BACKLOG_INTERVAL_MS: '100',
  SWEEP_INTERVAL_MS: '100',
  WEBHOOK_TIMEOUT_MS: '1000'
}

let context: TestApp
let announced: Announced
const running: ChildProcess[] = []
before(async () => {
  context = await openTestApp({ EGRESS: 'any' })
  announced = await openAnnounced(context)
})
after(async () => {
  await announced.close()
  await context.close()
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await context.queue.obliterate({ force: true })
  await announced.services.deliveryQueue.obliterate({ force: true })
})

/** Starts a control process, and waits until it is ready unless it is to be away from Redis. */
const start = async (environment: Record<string, string> = {}, isAwaited = true) => {
  const env = {
    PATH: process.env['PATH'] ?? '',
    REDIS_URL: context.server.url,
    OBJECT_DIR: context.directory,
    EGRESS: 'any',
    ...QUICK,
    ...environment
  }
  const child = spawn(process.execPath, [START], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let text = ''
  child.stdout.on('data', (chunk) => (text += String(chunk)))
  child.stderr.on('data', (chunk) => (text += String(chunk)))
  const control = { child, output: () => text, exit: once(child, 'exit') as Promise<[number | null]> }
  if (isAwaited) await until('the control process is ready', () => text.includes('control ready'))
  return control
}

const add = async (url?: string): Promise<string> => {
  const id = newGenerationId()
  const payload = announcedPayload()
  const { webhook } = payload
  const changed: GenerateImagePayload = url && webhook ? { ...payload, webhook: { ...webhook, url } } : payload
  await announced.services.enqueue.add({ id, pool: 'default', payload: changed, createdAt: Date.now() })
  return id
}

/** Takes a generation up and is never heard of again. */
const takeUpAndVanish = async (url = context.server.url): Promise<void> => {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const worker = new Worker(generateImageJob.queue, null, { connection, prefix: context.keys.bullmq, lockDuration: 300 })
  worker.on('error', () => undefined)
  const job = await worker.getNextJob('lost', { block: false })
  assert.ok(job)
  await worker.close(true)
  connection.disconnect()
}

test('a generation whose runner is lost waits again while no runner is there', async () => {
  await start()
  const id = await add()
  await takeUpAndVanish()
  assert.equal(await context.queue.getJobState(id), 'active')
  await until('it waits again', async () => (await context.queue.getJobState(id)) === 'waiting')
})

test('a generation may lose any number of runners, and is made by the one that stays', async () => {
  await start()
  const id = await add()
  for (let loss = 0; loss < 6; loss++) {
    await takeUpAndVanish()
    await until('it is not held any more', async () => (await context.queue.getJobState(id)) !== 'active')
  }
  assert.equal(await context.queue.getJobState(id), 'waiting')
  const worker = await context.runner(async () => ({ outcome: 'expired' }))
  await until('it has ended', async () => (await context.queue.getJobState(id)) === 'completed')
  await worker.close()
})

test('a generation whose pause before another attempt is over waits again while no runner is there', async () => {
  const worker = await context.runner(() => Promise.reject(new Error('{"code":"sampler_failed"}')))
  const id = await add()
  await until('it is to be tried again', async () => (await context.queue.getJobState(id)) === 'delayed')
  await worker.close()
  assert.equal(await context.queue.getJobState(id), 'delayed')
  await start()
  await until('it waits again', async () => (await context.queue.getJobState(id)) === 'prioritized')
})

test('two at once put every due retry back once, and by its priority', async () => {
  const ids = Array.from({ length: 250 }, () => newGenerationId())
  const delay = 1
  const jobs = ids.map((jobId) => ({
    name: generateImageJob.queue,
    data: announcedPayload(),
    opts: { jobId, delay, priority: 7 }
  }))
  await context.queue.addBulk(jobs)
  await Promise.all([start(), start()])
  await until('none is delayed', async () => (await context.queue.getDelayedCount()) === 0)
  const waiting = await context.redis.zrange(context.queue.toKey('prioritized'), '0', '-1')
  assert.deepEqual(waiting.toSorted(), ids.toSorted())
  assert.equal(await context.queue.getWaitingCount(), 0)
})

test('the backlog is served to Prometheus and written for CloudWatch, zeroes included', async () => {
  const port = await freePort()
  const control = await start({ METRICS_PORT: String(port), EMF_NAMESPACE: 'Nextscale' })
  type Line = Record<string, unknown> & { _aws: { Timestamp: number; CloudWatchMetrics: object[] } }
  const all = () =>
    control
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"_aws"'))
      .map((line) => JSON.parse(line) as Line)
  const lines = (pool?: string) => all().filter((line) => line['Pool'] === pool)
  await until('a line of an empty queue', () => lines()[0]?.['Backlog'] === 0 && lines('default')[0]?.['Backlog'] === 0)
  await Promise.all([add(), add(), add()])
  const now = new Date().toISOString()
  const card: RunnerCard = { id: 'r', version: '0', started_at: now, announced_at: now, max_batch: 1, models: [], pool: 'fast' }
  await context.redis.hset(context.keys.runners, 'r', JSON.stringify(card))
  await context.redis.zadd(context.keys.pools, Date.now(), 'fast')
  await until('a line of three generations', () => lines().at(-1)?.['Backlog'] === 3)
  const last = lines().at(-1) ?? assert.fail()
  assert.ok(Math.abs(last._aws.Timestamp - Date.now()) < 10_000)
  const ofPool = [
    { Name: 'Backlog', Unit: 'Count', StorageResolution: 1 },
    { Name: 'OldestWait', Unit: 'Milliseconds', StorageResolution: 1 },
    { Name: 'Runners', Unit: 'Count', StorageResolution: 1 }
  ]
  const metrics = [...ofPool, { Name: 'WebhookBacklog', Unit: 'Count', StorageResolution: 1 }]
  assert.deepEqual(last._aws.CloudWatchMetrics, [{ Namespace: 'Nextscale', Dimensions: [[]], Metrics: metrics }])
  await until('the runner counts', () => lines().at(-1)?.['Runners'] === 1 && lines('fast').at(-1)?.['Runners'] === 1)
  const fast = lines('fast').at(-1) ?? assert.fail()
  assert.deepEqual(fast._aws.CloudWatchMetrics, [{ Namespace: 'Nextscale', Dimensions: [['Pool']], Metrics: ofPool }])
  assert.deepEqual([fast['Backlog'], lines('default').at(-1)?.['Backlog'], lines('default').at(-1)?.['Runners']], [0, 3, 0])
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.match(text, /^nextscale_backlog_generations\{pool="default"\} 3$/m)
  assert.match(text, /^nextscale_backlog_generations\{pool="fast"\} 0$/m)
  assert.match(text, /^nextscale_runners\{pool="fast"\} 1$/m)
  assert.match(text, /^nextscale_webhook_backlog 0$/m)
  assert.match(text, /^# TYPE nextscale_webhook_attempts_total counter$/m)
  for (const path of ['healthz', 'readyz']) assert.equal((await fetch(`http://127.0.0.1:${port}/${path}`)).status, 200)
  assert.equal((await fetch(`http://127.0.0.1:${port}/else`)).status, 404)
  await context.redis.del(context.keys.pools)
})

test('SIGTERM lets a webhook request end, then the process, with 0', async () => {
  const receiver = await openReceiver()
  receiver.answer = (_request, response) => void setTimeout(() => response.writeHead(204).end(), 400)
  const control = await start()
  await context.runner(() => Promise.resolve({ outcome: 'expired' }))
  const id = await add(receiver.url)
  await until('a request is under way', () => receiver.requests.length === 1)
  control.child.kill('SIGTERM')
  assert.deepEqual((await control.exit)[0], 0, control.output())
  assert.equal(await announced.services.deliveryQueue.getJobState(terminalDeliveryId(id)), 'completed')
  receiver.close()
})

test('a delivery whose process is killed is made by another, with the same id', async () => {
  const receiver = await openReceiver()
  receiver.answer = () => undefined
  const first = await start()
  await context.runner(() => Promise.resolve({ outcome: 'expired' }))
  const id = await add(receiver.url)
  await until('a request is under way', () => receiver.requests.length === 1)
  first.child.kill('SIGKILL')
  await first.exit
  receiver.answer = (_request, response) => void response.writeHead(204).end()
  await start()
  await until('it is delivered', async () => {
    return (await announced.services.deliveryQueue.getJobState(terminalDeliveryId(id))) === 'completed'
  })
  assert.deepEqual(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])), new Set([terminalDeliveryId(id)]))
  receiver.close()
})

test('two at once end each generation and deliver each webhook once', async () => {
  const receiver = await openReceiver()
  await start()
  await start()
  await context.runner(() => Promise.resolve({ outcome: 'expired' }))
  const ids = await Promise.all(Array.from({ length: 30 }, () => add(receiver.url)))
  const states = () => Promise.all(ids.map((id) => announced.services.deliveryQueue.getJobState(terminalDeliveryId(id))))
  await until('all are delivered', async () => (await states()).every((state) => state === 'completed'))
  const sent = receiver.requests.map(({ headers }) => String(headers['webhook-id']))
  assert.deepEqual(sent.toSorted(), ids.map(terminalDeliveryId).toSorted())
  receiver.close()
})

test('it outlives a Redis that is away, at its start and later', async () => {
  const port = await freePort()
  const control = await start({ REDIS_URL: `redis://127.0.0.1:${port}` }, false)
  await until('it says so', () => control.output().includes('Redis cannot be reached'))
  assert.ok(!control.output().includes('control ready'))
  const first = await startRedis(port)
  await until('it is ready', () => control.output().includes('control ready'))
  const said = control.output().length
  await first.stop()
  await until('it says so', () => /Redis cannot be reached|connection to Redis is lost/.test(control.output().slice(said)))
  const second = await startRedis(port)
  const redis = new Redis(second.url, { maxRetriesPerRequest: null })
  const queues = openPoolQueues(redis, context.keys)
  const queue = queues.of('default')
  await queue.add(generateImageJob.queue, announcedPayload(), { jobId: newGenerationId() })
  await takeUpAndVanish(second.url)
  await until('it goes on', async () => (await queue.getWaitingCount()) === 1)
  assert.equal(control.child.exitCode, null)
  await queues.close()
  redis.disconnect()
  await second.stop()
})

test('SIGTERM ends it with 0 while it waits for Redis, and healthz answers until then', async () => {
  const [redis, port] = [await freePort(), await freePort()]
  const control = await start({ REDIS_URL: `redis://127.0.0.1:${redis}`, METRICS_PORT: String(port) }, false)
  await until('it says so', () => control.output().includes('Redis cannot be reached'))
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
  const readiness = await fetch(`http://127.0.0.1:${port}/readyz`)
  assert.deepEqual([readiness.status, await readiness.json()], [503, { status: 'not_ready', reason: 'Redis cannot be reached.' }])
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.match(text, /^nextscale_redis_up 0$/m)
  assert.doesNotMatch(text, /^nextscale_backlog_generations\{/m)
  control.child.kill('SIGTERM')
  assert.deepEqual((await control.exit)[0], 0, control.output())
})

test('SIGTERM ends it within seconds when Redis went away, with 1 since nothing can be recorded', async () => {
  const server = await startRedis()
  const control = await start({ REDIS_URL: server.url })
  const said = control.output().length
  await server.stop()
  await until('it says so', () => /Redis cannot be reached|connection to Redis is lost/.test(control.output().slice(said)))
  control.child.kill('SIGTERM')
  assert.deepEqual((await control.exit)[0], 1, control.output())
  assert.match(control.output(), /Redis is away, so what was under way could not be recorded/)
})

test('what is set wrong is said in a sentence', async () => {
  const control = await start({ BACKLOG_INTERVAL_MS: 'often' }, false)
  assert.deepEqual((await control.exit)[0], 78)
  assert.match(control.output(), /^BACKLOG_INTERVAL_MS must be an integer/)
})
