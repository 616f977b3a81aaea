import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Generation, Model } from '@nextscale/openapi'
import { deploy } from './support/deployment.ts'
import { until } from './support/until.ts'

const folder = (path: string) => fileURLToPath(new URL(`../../gpu-runner/${path}`, import.meta.url))

/** All but the links, which every read makes anew. */
const lasting = ({ urls: _urls, ...rest }: Generation) => rest

test('what no runner starts in time expires, and a runner that comes later leaves it so', async (t) => {
  const service = await deploy()
  t.after(() => service.close())
  const { client } = service
  await service.runner().end()
  const { id } = await client.generate({ start_deadline_seconds: 1 })
  const unread = await client.generate({ start_deadline_seconds: 1 })
  const late = await client.generate({ deadline_seconds: 1 })
  const patient = await client.generate({ start_deadline_seconds: 3600 })
  const expired = await client.finish(id)
  assert.deepEqual([expired.status, expired.started_at, expired.error], ['expired', null, null])
  const canceled = await client.finish(late.id)
  assert.deepEqual([canceled.status, canceled.error?.code], ['canceled', 'deadline_exceeded'])
  assert.equal((await client.read(patient.id)).status, 'queued')
  await service.startRunner()
  assert.equal((await client.finish(patient.id)).status, 'succeeded')
  assert.deepEqual(lasting(await client.read(id)), lasting(expired))
  assert.deepEqual(lasting(await client.read(late.id)), lasting(canceled))
  const ended = await client.finish(unread.id)
  assert.deepEqual([ended.status, ended.outputs], ['expired', []])
  assert.deepEqual(await readdir(join(service.objects, 'generations')), [patient.id])
})

test('one that runs past its deadline is stopped, and what waits is taken up', async (t) => {
  const service = await deploy({ env: { MODELS: folder('fixtures/var-d2-256'), MAX_BATCH: '1', CONCURRENCY: '1' } })
  t.after(() => service.close())
  const { client } = service
  const [model] = (await client.send('get', '/v1/models')).body.data as Model[]
  assert.equal(model?.id, 'var-d2-256')
  const { id } = await client.generate({ num_images: 16, deadline_seconds: 1 })
  await until('it runs', async () => (await client.read(id)).status === 'running')
  const waiting = await client.generate({})
  const ended = await client.finish(id)
  assert.deepEqual([ended.status, ended.error?.code, ended.error?.retryable], ['canceled', 'deadline_exceeded', true])
  assert.ok(ended.started_at !== null)
  assert.equal((await client.finish(waiting.id)).status, 'succeeded')
  assert.deepEqual(lasting(await client.read(id)), lasting(ended))
})
