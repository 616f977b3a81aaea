import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Model } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { asProblem } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { assertAllSucceeded, startLoad } from './support/drill.ts'
import { checksSignatures, createS3Server, type S3Server } from './support/s3-server.ts'
import { runOperatorCommand } from './support/operator-command.ts'
import { readTokens } from './support/read-tokens.ts'
import { until } from './support/until.ts'

const LINK_TTL_SECONDS = 3

let s3: S3Server
let service: Deployment
before(async () => {
  s3 = await createS3Server()
  service = await deploy({ env: { ...s3.env, LINK_TTL_SECONDS: String(LINK_TTL_SECONDS) } })
})
after(async () => {
  await service.close()
  await s3.close()
})

const makeOne = async () => {
  const generation = await service.client.finish((await service.client.generate({ class_name: 'fox' })).id)
  const [output] = generation.outputs
  assert.ok(output, JSON.stringify(generation.error))
  return { generation, output }
}

test('pictures lie in the bucket under the prefix and are fetched from there by a link of its own', async () => {
  const { generation, output } = await makeOne()
  const url = new URL(output.url)
  assert.equal(url.origin, s3.env['S3_ENDPOINT'])
  assert.equal(url.pathname, `/pictures/made/generations/${generation.id}/0.png`)
  const answer = await fetch(url)
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'image/png'])
  const bytes = Buffer.from(await answer.arrayBuffer())
  assert.equal(createHash('sha256').update(bytes).digest('hex'), output.sha256)
})

test('a link stops working when its record says, and a new read brings a new one', async () => {
  const { generation, output } = await makeOne()
  const remainingMs = Date.parse(output.url_expires_at) - Date.now()
  assert.ok(remainingMs > 0 && remainingMs <= LINK_TTL_SECONDS * 1_000)
  await setTimeout(remainingMs + 1_500)
  assert.equal((await fetch(output.url)).status, 403)
  const [fresh] = (await service.client.read(generation.id)).outputs
  assert.equal((await fetch(fresh?.url ?? '')).status, 200)
})

test('where clients reach the store by another address, links name that one and work there', async () => {
  const inside = s3.env['S3_ENDPOINT'] ?? ''
  const outside = inside.replace('127.0.0.1', 'localhost')
  await service.api().end()
  await service.startApi({ S3_PUBLIC_ENDPOINT: outside })
  const { output } = await makeOne()
  assert.equal(new URL(output.url).origin, outside)
  assert.equal((await fetch(output.url)).status, 200)
  // The signature is of the host as well.
  if (checksSignatures) assert.equal((await fetch(output.url.replace(outside, inside))).status, 403)
  await service.api().end()
  await service.startApi()
})

test(
  'a link that was tampered with is refused by the store',
  { skip: !checksSignatures && 'needs Go, for a server that checks signatures' },
  async () => {
    const { output } = await makeOne()
    const url = new URL(output.url)
    const signature = url.searchParams.get('X-Amz-Signature') ?? ''
    url.searchParams.set(
      'X-Amz-Signature',
      signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    )
    assert.equal((await fetch(url)).status, 403)
  }
)

test('deleting a generation empties its place in the bucket', async () => {
  const { generation, output } = await makeOne()
  assert.equal((await service.client.send('delete', `/v1/generations/${generation.id}`)).status, 204)
  assert.equal((await fetch(output.url)).status, 404)
})

test('tokens lie beside the picture in the bucket, and leave it with it', async () => {
  const { client } = service
  const model = (await client.send('get', '/v1/models/emoji-32')).body as Model
  const { id, outputs } = await client.finish((await client.generate({ num_images: 2, return_tokens: true })).id)
  for (const { index, tokens_url: url } of outputs) {
    assert.equal(new URL(url ?? '').pathname, `/pictures/made/generations/${id}/${index}.tokens`)
    assert.equal((await readTokens(url, model)).length, model.tokens_per_image)
  }
  assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
  for (const { tokens_url: url } of outputs) assert.equal((await fetch(url ?? '')).status, 404)
})

test('pictures whose generation Redis has lost are found in the bucket and removed, and no others', async () => {
  const [lost, kept] = [await makeOne(), await makeOne()]
  const { redis } = service
  const environment = { ...s3.env, REDIS_URL: redis.url }
  const orphans = (...args: string[]) => runOperatorCommand(['objects', 'orphans', '--older-than', '1s', ...args], environment)
  await setTimeout(2_000)
  assert.match(await orphans(), /^There are no objects/)
  const client = new Redis(redis.url)
  await client.del(`{nextscale}:generate-image:${lost.generation.id}`)
  await client.zrem('{nextscale}:expiry', lost.generation.id)
  client.disconnect()
  assert.match(await orphans(), new RegExp(`^${lost.generation.id}  1 object, `))
  assert.match(await orphans('--remove'), /^Removed 1 object, .* of 1 generation /)
  assert.match(await orphans(), /^There are no objects/)
  const [picture] = (await service.client.read(kept.generation.id)).outputs
  assert.equal((await fetch(picture?.url ?? '')).status, 200)
})

test('a bucket that cannot be reached for a while delays pictures and loses none', async () => {
  const load = startLoad(service, { intervalMs: 100 })
  await until('some are accepted', async () => load.accepted.length > 3)
  await s3.stop()
  const before = load.accepted.length
  await until('more are accepted meanwhile', async () => load.accepted.length > before + 5)
  const ids = await load.stop()
  assert.equal(load.refused, 0)
  const last = ids.at(-1) ?? ''
  await until('the last waits for another attempt', async () => {
    const { attempt, status } = await service.client.read(last)
    return attempt > 0 && status === 'queued'
  })
  await s3.start()
  await assertAllSucceeded(service, ids)
})

test('deleting while the bucket cannot be reached is a 503 that changes nothing', async () => {
  const { generation } = await makeOne()
  await s3.stop()
  const refused = await service.client.send('delete', `/v1/generations/${generation.id}`)
  assert.deepEqual([refused.status, asProblem(refused).code], [503, 'object_store_unavailable'])
  assert.ok(Number(refused.headers['retry-after']) >= 1)
  await s3.start()
  assert.equal((await service.client.read(generation.id)).status, 'succeeded')
  assert.equal((await service.client.send('delete', `/v1/generations/${generation.id}`)).status, 204)
})
