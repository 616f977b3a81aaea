import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { asProblem } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { createS3Server, type S3Server } from './support/s3-server.ts'
import { until } from './support/until.ts'

const SWEEP = { SWEEP_INTERVAL_MS: '200' }

let s3: S3Server
before(async () => {
  s3 = await createS3Server()
})
after(() => s3.close())

const isGone = async ({ client }: Deployment, id: string) => {
  const response = await client.send('get', `/v1/generations/${id}`)
  return response.status === 410 && asProblem(response).code === 'generation_gone'
}

const makeTwo = async ({ client }: Deployment) => {
  const bodies = [{ retention_seconds: 2, stop_at_scale: 2 }, {}]
  const made = await Promise.all(
    bodies.map(async (body) => client.finish((await client.generate({ ...body, return_tokens: true })).id))
  )
  const [short, long] = made
  assert.ok(short?.status === 'succeeded' && long?.status === 'succeeded')
  return { short, long }
}

test('after its own retention a generation is gone with its files, and others are not', async (t) => {
  const service = await deploy({ env: SWEEP })
  t.after(() => service.close())
  const { short, long } = await makeTwo(service)
  assert.equal(Date.parse(short.expires_at ?? '') - Date.parse(short.completed_at ?? ''), 2000)
  assert.ok(Date.parse(short.outputs[0]?.url_expires_at ?? '') <= Date.parse(short.expires_at ?? ''))
  await until('it is gone', () => isGone(service, short.id))
  const objects = join(service.objects, 'generations')
  await until('its files are', async () => !(await readdir(objects)).includes(short.id))
  assert.deepEqual(await readdir(objects), [long.id])
  await service.client.fetchPicture((await service.client.read(long.id)).outputs[0]?.url ?? '')
})

test('a bucket that is away when retention ends is emptied when it is back', async (t) => {
  const service = await deploy({ env: { ...s3.env, ...SWEEP, LINK_TTL_SECONDS: '600' } })
  t.after(() => service.close())
  const { short, long } = await makeTwo(service)
  await s3.stop()
  await until('it is gone', () => isGone(service, short.id))
  await until('a removal was tried', async () => service.control().output().includes('could not be removed'))
  await s3.start()
  await until('its objects are', async () => (await s3.list()).every((key) => !key.includes(short.id)), 60_000)
  assert.equal((await s3.list()).filter((key) => key.includes(long.id)).length, 2)
  await service.client.fetchPicture((await service.client.read(long.id)).outputs[0]?.url ?? '')
})
