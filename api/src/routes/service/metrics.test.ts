import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import { openTestApp, post, type TestApp } from '../../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const SAMPLE = /^([a-z_][a-z0-9_]*(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)$/i
const COMMENT = /^# (?:HELP [a-z_]\w* .+|TYPE [a-z_]\w* (?:counter|gauge|histogram))$/i

/** Samples by series. Every line must be one that the exposition format knows, and no series may come twice. */
const scrape = async (): Promise<Map<string, number>> => {
  const response = await context.app.inject('/metrics')
  assert.equal(response.statusCode, 200)
  assert.match(String(response.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.ok(response.body.endsWith('\n'))
  const samples = new Map<string, number>()
  for (const line of response.body.split('\n').filter((text) => text !== '')) {
    if (COMMENT.test(line)) continue
    const [, series, value] = SAMPLE.exec(line) ?? assert.fail(`Not the exposition format: ${line}`)
    assert.ok(series !== undefined && !samples.has(series), line)
    samples.set(series, Number(value))
  }
  return samples
}

test('accepted generations, answers and the queue are counted as they happen', async () => {
  const accepted = 'nextscale_generations_accepted_total{pool="default",model="emoji-32",priority="high"}'
  const answers = 'nextscale_http_request_duration_seconds_count{operation="createGeneration",status="202"}'
  const refusals = 'nextscale_http_request_duration_seconds_count{operation="createGeneration",status="400"}'
  const before = await scrape()
  assert.deepEqual(
    [before.get(accepted), before.get('nextscale_queue_generations{pool="default",state="waiting"}')],
    [undefined, 0]
  )
  for (let i = 0; i < 3; i++) await post(context.app, '/generate', { priority: 'high' })
  await post(context.app, '/v1/generate', { num_images: 0 })
  const now = await scrape()
  assert.deepEqual([now.get(accepted), now.get(answers), now.get(refusals)], [3, 3, 1])
  assert.equal(now.get('nextscale_queue_generations{pool="default",state="waiting"}'), 3)
  assert.equal(before.get('nextscale_queue_next_wait_seconds{pool="default"}'), 0)
  assert.ok((now.get('nextscale_queue_next_wait_seconds{pool="default"}') ?? 0) > 0)
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'process_start_time_seconds'])
    assert.ok((now.get(name) ?? 0) > 0, name)
  for (const quantile of ['0.5', '0.99']) assert.ok(now.has(`nextscale_event_loop_lag_seconds{quantile="${quantile}"}`))
})

test('no id, path or query becomes a label', async () => {
  const { id } = (await context.generate()) satisfies Generation
  await context.app.inject(`/generations/${id}`)
  await context.app.inject('/absent-path?token=hunter2')
  const { body } = await context.app.inject('/metrics')
  assert.doesNotMatch(body, new RegExp(`${id}|absent-path|hunter2`))
  assert.match(body, /operation="getGeneration",status="200"/)
  assert.match(body, /operation="none",status="404"/)
})

test('an open long poll is counted until it ends', async () => {
  const { id } = await context.generate()
  const waiting = context.app.inject(`/generations/${id}?wait=1`)
  const held = 'nextscale_http_held_requests{kind="wait"}'
  await until('it is held', async () => (await scrape()).get(held) === 1)
  await waiting
  assert.equal((await scrape()).get(held), 0)
})

test('without Redis the process is still told of, and the queue is left out', async () => {
  context.server.freeze()
  try {
    const now = await scrape()
    assert.equal(now.get('nextscale_redis_up'), 0)
    assert.deepEqual(
      [...now.keys()].filter((series) => series.startsWith('nextscale_queue')),
      []
    )
  } finally {
    context.server.thaw()
  }
})
