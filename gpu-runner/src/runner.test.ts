import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type DeliverWebhookPayload,
  deliverWebhookJob,
  type GenerateImagePayload,
  type GenerateImageResult,
  generateImageJob,
  liveDeliveryId,
  type QueuedWebhook,
  redisKeys
} from '@nextscale/openapi'
import { Queue } from 'bullmq'
import { pino } from 'pino'
import { readConfig } from './config.ts'
import { openModel } from './families/var/model/open-model.ts'
import { startRunner } from './runner.ts'
import type { SamplerForm } from './sampler/sampler-form.ts'
import { SHIPPED_MODEL } from './testing/folders.ts'
import { freePort, startRedis, temporaryFolder, until } from '@nextscale/platform/testing'

const ID = `gen_${'a'.repeat(26)}`
const OWNER = 'key_1'
const SCALES = 7
const LIVE = ['generation.started', 'generation.progress', 'generation.output'] as const
const log = pino({ level: 'silent' })
const { manifest } = await openModel(SHIPPED_MODEL)

const payload = (events: QueuedWebhook['events'] | null): GenerateImagePayload => ({
  version: 1,
  owner: OWNER,
  metadata: {},
  label: null,
  webhook: events && { url: 'https://example.com/hook', base: 'https://api.example.com', events },
  input: {
    model: manifest.id,
    model_revision: manifest.revision,
    class_label: 2,
    class_name: null,
    num_images: 2,
    seed: 1,
    cfg: 3,
    top_k: 200,
    top_p: 0.95,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'normal'
  }
})

const deploy = async (t: TestContext, form?: SamplerForm) => {
  const server = await startRedis()
  const objects = await temporaryFolder(t)
  const config = readConfig({ OBJECT_DIR: objects, CACHE_DIR: 'none', THREADS: '2', MAX_BATCH: '2', REDIS_PREFIX: 'test' })
  const runner = await startRunner({ ...config, redisUrl: server.url, ...(form && { sampler: form }) }, log)
  const keys = redisKeys('test')
  const options = { connection: server.redis, prefix: keys.bullmq, skipMetasUpdate: true }
  const generations = new Queue<GenerateImagePayload, GenerateImageResult>(generateImageJob.queue, options)
  const deliveries = new Queue<DeliverWebhookPayload>(deliverWebhookJob.queue, options)
  t.after(async () => {
    await runner.stop()
    await Promise.all([generations.close(), deliveries.close()])
    await server.stop()
  })
  return { ...server, keys, objects, generations, deliveries }
}
type Deployment = Awaited<ReturnType<typeof deploy>>

const add = ({ generations }: Deployment, events: QueuedWebhook['events'] | null) => {
  const { queue, attempts, backoff } = generateImageJob
  return generations.add(queue, payload(events), { jobId: ID, attempts, backoff })
}

const success = async ({ generations }: Deployment) => {
  await until('the generation has ended', async () => (await generations.getJobState(ID)) === 'completed')
  const result = (await generations.getJob(ID))?.returnvalue
  assert.ok(result?.outcome === 'succeeded')
  return result
}

/** Payloads of the deliveries by their ids. */
const queued = async ({ deliveries }: Deployment) => new Map((await deliveries.getJobs()).map(({ id, data }) => [id, data]))

/** Ids that a generation's deliveries must have, whose runs finished so many scales each. */
const idsOf = (scalesOfRuns: readonly number[][]) => [
  liveDeliveryId(ID, 'generation.started', 'start'),
  ...scalesOfRuns.flatMap((scales, index) =>
    scales.map((scale) => liveDeliveryId(ID, 'generation.progress', `${index + 1}:${scale}`))
  ),
  ...['0', '1'].map((index) => liveDeliveryId(ID, 'generation.output', index))
]
const all = Array.from({ length: SCALES }, (_, index) => index + 1)

test('a generation that asks for its events gets its start, every scale and each picture, before its end', async (t) => {
  const service = await deploy(t)
  await add(service, [...LIVE, 'generation.succeeded'])
  const { outputs } = await success(service)
  const found = await queued(service)
  assert.deepEqual(new Set(found.keys()), new Set(idsOf([all])))
  for (const output of outputs)
    assert.deepEqual(found.get(liveDeliveryId(ID, 'generation.output', String(output.index)))?.output, output)
  const last = found.get(liveDeliveryId(ID, 'generation.progress', `1:${SCALES}`))
  assert.deepEqual(last?.progress, { run: 1, scale: SCALES })
})

test('one that asks for its end alone, or has no webhook, leaves no trace of events', async (t) => {
  const service = await deploy(t)
  for (const events of [null, ['generation.succeeded' as const]]) {
    await add(service, events)
    await success(service)
    assert.deepEqual(await service.redis.keys('*deliver*'), [])
    await service.generations.remove(ID)
  }
})

test('an attempt after one that failed starts nothing anew, and tells of its own scales', async (t) => {
  const service = await deploy(t)
  const obstacle = join(service.objects, 'generations')
  await writeFile(obstacle, '')
  await add(service, [...LIVE])
  await until('the first attempt has failed', async () => (await service.generations.getJobState(ID)) === 'delayed')
  assert.ok(!(await queued(service)).has(liveDeliveryId(ID, 'generation.output', '0')))
  await rm(obstacle)
  await success(service)
  assert.deepEqual(new Set((await queued(service)).keys()), new Set(idsOf([all, all])))
})

test('where all scales are one run, its progress is one event', async (t) => {
  const service = await deploy(t, { form: 'fused', provider: 'cpu', float: 'float', ladder: [2] })
  await add(service, [...LIVE])
  await success(service)
  assert.deepEqual(new Set((await queued(service)).keys()), new Set(idsOf([[SCALES]])))
})

test('a Redis that refuses deliveries takes nothing from the generation', async (t) => {
  const service = await deploy(t)
  const { redis, keys } = service
  const own = ['generate-image:*', 'cancel*', 'expiry', 'models', 'runners'].map((name) => `~${keys.bullmq}:${name}`)
  await redis.acl('SETUSER', 'default', 'resetkeys', ...own)
  await add(service, [...LIVE])
  assert.equal((await success(service)).outputs.length, 2)
  await redis.acl('SETUSER', 'default', 'allkeys')
  assert.equal((await queued(service)).size, 0)
})

test('a start that fails half way leaves nothing open', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  await server.redis.acl('SETUSER', 'weak', 'on', '>secret', '~*', '&*', '+@all', '-zadd')
  const port = await freePort()
  const settings = { CACHE_DIR: 'none', THREADS: '1', METRICS_PORT: String(port), OBJECT_DIR: await temporaryFolder(t) }
  const config = readConfig({ ...settings, REDIS_URL: server.url.replace('redis://', 'redis://weak:secret@') })
  const children = () => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length
  const before = children()
  await assert.rejects(startRunner(config, log), { name: 'ConfigError', message: /zadd/i })
  const metrics = createServer().listen(port, '127.0.0.1')
  await once(metrics, 'listening')
  metrics.close()
  const clients = async () =>
    String(await server.redis.client('LIST'))
      .split('\n')
      .filter((line) => line.includes('user=weak'))
  await until('its connections are closed', async () => (await clients()).length === 0)
  assert.equal(children(), before)
})
