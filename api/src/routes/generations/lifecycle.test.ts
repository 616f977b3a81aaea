import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type Generation,
  type GenerateImageResult,
  getGeneration,
  pictureKey,
  tokensKey,
  createGeneration,
  listGenerations
} from '@nextscale/openapi'
import { UnrecoverableError } from 'bullmq'
import { assertKept } from '../../testing/contract.ts'
import { bodyOf, openTestApp, post, type RunnerJob, type TestApp } from '../../testing/test-app.ts'

let context: TestApp
/** What the runner of this file does with a job, by its label. */
const behaviours: Record<string, (job: RunnerJob) => Promise<unknown>> = {}

before(async () => {
  context = await openTestApp({ PUBLIC_URL: 'https://api.example.org' })
  await context.runner(async (job) => behaviours[job.data.label ?? '']?.(job))
})
after(() => context.close())

const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 2 }

const succeed = async (job: RunnerJob): Promise<GenerateImageResult> => {
  const key = pictureKey(job.id ?? '', 0, 'png')
  const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
  return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
}

const waitFor = async (id: string, wait = 10): Promise<Generation> => {
  const response = await context.app.inject(`/generations/${id}?wait=${wait}`)
  assertKept(getGeneration, response)
  return bodyOf<Generation>(response)
}

const run = async (label: string, behaviour: (job: RunnerJob) => Promise<unknown>): Promise<Generation> => {
  behaviours[label] = behaviour
  const { id } = await context.generate({ label })
  return waitFor(id)
}

test('an accepted request is answered with the whole resource, its location and when to look again', async () => {
  behaviours['accepted'] = succeed
  const body = { label: 'accepted', class_name: 'ROBOT', class_label: 2, seed: 7, metadata: { order: '1' }, priority: 'high' }
  const response = await post(context.app, '/generate', body)
  assertKept(createGeneration, response)
  assert.equal(response.statusCode, 202)
  const generation = bodyOf<Generation>(response)
  assert.equal(response.headers['location'], `https://api.example.org/v1/generations/${generation.id}`)
  assert.equal(response.headers['retry-after'], '1')
  assert.equal(generation.status, 'queued')
  assert.equal(generation.input.class_name, 'robot')
  assert.equal(generation.input.priority, 'high')
  assert.deepEqual(generation.metadata, { order: '1' })
})

test('a finished job is succeeded, with links, metrics and times', async () => {
  const generation = await run('done', succeed)
  assert.equal(generation.status, 'succeeded')
  assert.equal(generation.stage, null)
  const [output] = generation.outputs
  assert.match(output?.url ?? '', new RegExp(`^https://api.example.org/v1/objects/generations/${generation.id}/0.png\\?`))
  assert.ok(Date.parse(output?.url_expires_at ?? '') > Date.now())
  assert.equal(generation.metrics.sample_ms, 5)
  assert.ok(generation.metrics.total_ms !== null && generation.metrics.queue_ms !== null)
  assert.equal(generation.attempt, 1)
  assert.equal(Date.parse(generation.expires_at ?? '') - Date.parse(generation.completed_at ?? ''), 86_400_000)
})

test('tokens that were stored have a link of their own, which dies with that of the picture', async () => {
  const generation = await run('tokens', async (job) => {
    const result = await succeed(job)
    assert.ok(result.outcome === 'succeeded')
    return { ...result, outputs: result.outputs.map((output) => ({ ...output, tokens_key: tokensKey(job.id ?? '', 0) })) }
  })
  const [output] = generation.outputs
  assert.match(output?.tokens_url ?? '', new RegExp(`/v1/objects/generations/${generation.id}/0.tokens\\?expires=`))
  const expires = [output?.url, output?.tokens_url].map((url) => Number(new URL(url ?? '').searchParams.get('expires')))
  assert.equal(Date.parse(output?.url_expires_at ?? ''), Math.min(...expires) * 1000)
})

test('what a runner or an API of the release before this one wrote is shown whole', async () => {
  const generation = await run('done', succeed)
  assert.equal(generation.outputs[0]?.tokens_url, null)
  const data = JSON.parse((await context.redis.hget(context.queue.toKey(generation.id), 'data')) ?? '')
  const { smooth: _smooth, schedule: _schedule, return_tokens: _tokens, ...input } = data.input
  await context.redis.hset(context.queue.toKey(generation.id), 'data', JSON.stringify({ ...data, input }))
  assert.deepEqual((await waitFor(generation.id)).input, generation.input)
})

test('a long poll returns when the job finishes, not when it would look again', async () => {
  behaviours['quick'] = async (job) => {
    await new Promise((resolve) => setTimeout(resolve, 150))
    return succeed(job)
  }
  const { id } = await context.generate({ label: 'quick' })
  const startedAt = performance.now()
  assert.equal((await waitFor(id)).status, 'succeeded')
  assert.ok(performance.now() - startedAt < 600)
})

test('progress and stage of a running job are shown, and the answer says when to look again', async () => {
  let finish = () => {}
  const progressed = new Promise<void>((resolve) => {
    behaviours['slow'] = async (job) => {
      await job.updateProgress({ stage: 'sampling', progress: { scale: 1, scales: 3, tokens: 1, tokens_total: 21 } })
      resolve()
      await new Promise<void>((release) => (finish = release))
      return succeed(job)
    }
  })
  const { id } = await context.generate({ label: 'slow' })
  await progressed
  const response = await context.app.inject(`/generations/${id}`)
  const running = bodyOf<Generation>(response)
  assert.equal(running.status, 'running')
  assert.equal(running.stage, 'sampling')
  assert.equal(running.progress?.scale, 1)
  assert.equal(running.attempt, 1)
  assert.equal(response.headers['retry-after'], '1')
  finish()
  assert.equal((await waitFor(id)).status, 'succeeded')
})

test('a wait that runs out answers with the generation as it is', async () => {
  let finish = () => {}
  behaviours['endless'] = async (job) => {
    await new Promise<void>((release) => (finish = release))
    return succeed(job)
  }
  const { id } = await context.generate({ label: 'endless' })
  const startedAt = performance.now()
  assert.equal((await waitFor(id, 1)).status, 'running')
  const waitedMs = performance.now() - startedAt
  assert.ok(waitedMs >= 990 && waitedMs < 1500, `${waitedMs} ms`)
  finish()
})

test('a job a runner gave up on is failed with the error it wrote', async () => {
  const error = { code: 'sampler_failed', message: 'The sampler failed.', retryable: true }
  const generation = await run('broken', async () => {
    throw new UnrecoverableError(JSON.stringify(error))
  })
  assert.equal(generation.status, 'failed')
  assert.deepEqual(generation.error, error)
  assert.deepEqual(generation.outputs, [])
})

test('a reason nobody wrote for clients is not shown to them', async () => {
  const generation = await run('crash', async () => {
    throw new UnrecoverableError('secret path /home/me')
  })
  assert.equal(generation.error?.code, 'internal_error')
  assert.doesNotMatch(generation.error?.message ?? '', /secret/)
})

test('a job whose runners were lost is failed as runner_lost', async () => {
  const generation = await run('stalled', async () => {
    throw new UnrecoverableError('job stalled more than allowable limit')
  })
  assert.equal(generation.error?.code, 'runner_lost')
})

test('a result this release cannot read is a failure, not a success', async () => {
  assert.equal((await run('odd', async () => ({ outcome: 'exploded' }))).error?.code, 'internal_error')
  assert.equal((await run('expired', async () => ({ outcome: 'expired' }))).status, 'expired')
})

test('attempts that failed and were tried again count', async () => {
  let attempts = 0
  const generation = await run('retried', async (job) => {
    attempts += 1
    if (attempts < 3) throw new Error('again')
    return succeed(job)
  })
  assert.equal(generation.status, 'succeeded')
  assert.equal(generation.attempt, 3)
})

test('what is past its retention is gone, even while the job is still there', async () => {
  const { id } = await run('old', succeed)
  await context.redis.hset(context.queue.toKey(id), 'finishedOn', String(Date.now() - 86_400_001))
  const response = await context.app.inject(`/generations/${id}`)
  assertKept(getGeneration, response)
  assert.equal(response.statusCode, 410)
  const listed = await context.app.inject('/generations?label=old')
  assertKept(listGenerations, listed)
  assert.deepEqual(bodyOf<{ data: unknown[] }>(listed).data, [])
})

test('someone else’s generation does not exist', async () => {
  const { id } = await run('foreign', succeed)
  const data = JSON.parse((await context.redis.hget(context.queue.toKey(id), 'data')) ?? '')
  await context.redis.hset(context.queue.toKey(id), 'data', JSON.stringify({ ...data, owner: 'other' }))
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/cancel'],
    ['DELETE', '']
  ] as const) {
    assert.equal((await context.app.inject({ method, url: `/generations/${id}${path}` })).statusCode, 404)
  }
})

test('one that waits shows how many are ahead of it, by priority', async () => {
  const waiting = await openTestApp()
  try {
    const { id: low } = await waiting.generate({ priority: 'low' })
    const { id: normal } = await waiting.generate()
    const { id: high } = await waiting.generate({ priority: 'high' })
    const positions = await Promise.all(
      [high, normal, low].map(async (id) => bodyOf<Generation>(await waiting.app.inject(`/generations/${id}`)).queue?.position)
    )
    assert.deepEqual(positions, [0, 1, 2])
  } finally {
    await waiting.close()
  }
})
