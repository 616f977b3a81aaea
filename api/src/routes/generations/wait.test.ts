import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CONTENT_TYPES, type Generation, generationPrefix, getGeneration, pictureKey, type Problem } from '@nextscale/openapi'
import { UnrecoverableError } from 'bullmq'
import { assertKept } from '../../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

let context: TestApp
let idle: TestApp
let limited: TestApp
before(async () => {
  limited = await openTestApp({ HOST: '0.0.0.0' })
  idle = await openTestApp()
  context = await openTestApp()
  await context.runner(async (job) => {
    if (job.data.label === 'fails') {
      const error = { code: 'sampler_failed', message: 'The sampler failed.', retryable: true }
      throw new UnrecoverableError(JSON.stringify(error))
    }
    const { format } = job.data.input.output
    const key = pictureKey(job.id ?? '', 0, format)
    await mkdir(join(context.directory, generationPrefix(job.id ?? '')), { recursive: true })
    await writeFile(join(context.directory, key), 'a picture')
    const content_type = CONTENT_TYPES[format]
    const output = { index: 0, seed: 7, key, content_type, width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    const metrics = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }
    return { outcome: 'succeeded', outputs: [output], metrics }
  })
})
after(async () => {
  await context.close()
  await idle.close()
  await limited.close()
})

const send = (service: TestApp, headers: Record<string, string>, payload: object = {}) =>
  service.app.inject({ method: 'POST', url: '/generate', headers, payload })

const codeOf = (response: { json(): unknown }) => bodyOf<Problem>(response).code

test('a preferred wait is answered 200 when done in time, else 202, and says what was granted', async () => {
  const done = await send(context, { prefer: 'wait=20' })
  assert.deepEqual([done.statusCode, bodyOf<Generation>(done).status], [200, 'succeeded'])
  assert.equal(done.headers['preference-applied'], 'wait=20')
  const late = await send(idle, { prefer: 'wait=1' })
  assert.deepEqual([late.statusCode, bodyOf<Generation>(late).status], [202, 'queued'])
  assert.equal(late.headers['preference-applied'], 'wait=1')
  assert.equal((await send(idle, { prefer: 'wait=soon' })).headers['preference-applied'], undefined)
})

test('a wait that is refused makes nothing, so that no generation is left unknown to its caller', async () => {
  const { token } = await limited.createKey({ limits: { requests_per_minute: null, in_flight: null, streams: 1 } })
  const headers = { authorization: `Bearer ${token}` }
  const { id } = bodyOf<Generation>(await send(limited, headers))
  const held = limited.app.inject({ url: `/generations/${id}?wait=30`, headers })
  await until('the wait', async () => (await limited.redis.keys('*:streams:*')).length > 0)
  for (const wish of [{ prefer: 'wait=5' }, { accept: 'image/png' }])
    assert.equal(codeOf(await send(limited, { ...headers, ...wish })), 'too_many_streams')
  assert.equal(await limited.queue.count(), 1)
  await limited.app.inject({ method: 'POST', url: `/generations/${id}/cancel`, headers })
  await held
})

test('a wait of the request that makes a generation is counted as one', async () => {
  const counts = new Set<string | undefined>()
  let isOver = false
  const waiting = send(idle, { prefer: 'wait=1' }).finally(() => (isOver = true))
  await until('it is over', async () => {
    counts.add(/held_requests\{kind="wait"\} (\d)/.exec((await idle.app.inject('/metrics')).body)?.[1])
    return isOver
  })
  await waiting
  assert.ok(counts.has('1'))
  assert.match((await idle.app.inject('/metrics')).body, /held_requests\{kind="wait"\} 0/)
})

test('what was accepted is answered 202 when Redis is lost during the wait', async () => {
  const service = await openTestApp()
  try {
    const waiting = send(service, { prefer: 'wait=20' })
    await until('it is accepted', async () => (await service.queue.count()) > 0)
    service.server.freeze()
    const response = await waiting
    assert.deepEqual([response.statusCode, bodyOf<Generation>(response).status], [202, 'queued'])
    assert.match(String(response.headers['location']), /\/v1\/generations\/gen_/)
  } finally {
    service.server.thaw()
    await service.close()
  }
})

test('an accepted image is the answer itself, in the format Accept prefers', async () => {
  const response = await send(context, { accept: 'image/webp, image/png;q=0.5' })
  assert.deepEqual([response.statusCode, response.body], [200, 'a picture'])
  assert.equal(response.headers['content-type'], 'image/webp')
  assert.equal(response.headers['content-length'], '9')
  assert.match(String(response.headers['etag']), /^"/)
  assert.match(String(response.headers['location']), /\/v1\/generations\/gen_/)
})

test('when the wait for a picture runs out, the answer is 202 in JSON', async () => {
  const response = await send(idle, { accept: 'image/png', prefer: 'wait=1' })
  assert.deepEqual([response.statusCode, bodyOf<Generation>(response).status], [202, 'queued'])
})

test('a picture that cannot be the answer is refused before anything is made', async () => {
  const waiting = await idle.queue.count()
  const refused = [
    await send(idle, { accept: 'image/png' }, { output: { format: 'webp' } }),
    await send(idle, { accept: 'text/html' }),
    await send(idle, { accept: 'image/png' }, { num_images: 2 })
  ]
  assert.deepEqual(refused.map(codeOf), ['not_acceptable', 'not_acceptable', 'invalid_request'])
  assert.equal(bodyOf<Problem>(refused[2] ?? assert.fail()).errors[0]?.pointer, '/num_images')
  assert.equal(await idle.queue.count(), waiting)
})

test('a generation that ended without a picture is a 409 that says why', async () => {
  const response = await send(context, { accept: 'image/png' }, { label: 'fails' })
  assert.deepEqual([response.statusCode, codeOf(response)], [409, 'generation_not_succeeded'])
  assert.match(bodyOf<Problem>(response).detail, /failed.*The sampler failed/)
})

test('an ETag stays while nothing changes; If-None-Match then answers 304 without a body', async () => {
  const { id } = bodyOf<Generation>(await send(context, { prefer: 'wait=20' }))
  const first = await context.app.inject(`/generations/${id}`)
  const etag = String(first.headers['etag'])
  await sleep(1100)
  for (const tag of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
    const again = await context.app.inject({ url: `/generations/${id}`, headers: { 'if-none-match': tag } })
    assertKept(getGeneration, again)
    assert.deepEqual([again.statusCode, again.body, again.headers['etag']], [304, '', etag])
  }
  const other = await context.app.inject({ url: `/generations/${id}`, headers: { 'if-none-match': '"other"' } })
  assert.equal(other.statusCode, 200)
})

test('a wait with If-None-Match ends at any change', async () => {
  const { id } = await idle.generate()
  const url = `/generations/${id}?wait=30`
  const headers = { 'if-none-match': String((await idle.app.inject(`/generations/${id}`)).headers['etag']) }
  const waiting = idle.app.inject({ url, headers })
  await idle.generate({ priority: 'high' })
  const changed = await waiting
  assert.deepEqual([changed.statusCode, bodyOf<Generation>(changed).status], [200, 'queued'])
})

test('time to completion and Retry-After follow what runners announce, while they do', async () => {
  const announced_at = new Date().toISOString()
  const models = [{ id: 'emoji-32', image_ms: 1000, latency_ms: 20_000 }]
  const card = { id: 'r', version: '1', started_at: announced_at, announced_at, max_batch: 1, models }
  await idle.redis.hset(idle.keys.runners, 'r', JSON.stringify(card))
  const { id } = await idle.generate({ priority: 'low' })
  for (let look = 0; look < 200; look++) {
    const response = await idle.app.inject(`/generations/${id}`)
    const { queue } = bodyOf<Generation>(response)
    if (queue?.eta_ms !== null && queue !== null) {
      assert.equal(queue.eta_ms, (queue.position ?? 0) * 1000 + 20_000)
      assert.equal(response.headers['retry-after'], String(Math.min(30, Math.ceil((queue.eta_ms ?? 0) / 2000))))
      return
    }
    await sleep(50)
  }
  assert.fail('No estimate within 10 s')
})
