import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  createGeneration,
  getModel,
  getReadiness,
  listModelClasses,
  listModels,
  type Model,
  type Operation,
  type Problem,
  type RunnerCard
} from '@nextscale/openapi'
import { createModelRegistry } from '../../models/registry.ts'
import { until } from '@nextscale/platform/testing'
import { assertKept } from '../../testing/contract.ts'
import { ableCard, earlierCard, modelCard, promptCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'

let context: TestApp
before(async () => {
  const second = { order: 1 }
  context = await openTestApp({}, [
    modelCard(),
    modelCard({ id: 'b-second', ...second }),
    modelCard({ id: 'a-second', ...second })
  ])
  await context.redis.hset(context.keys.models, 'broken', '{"id":"broken"}', 'garbage', 'not json')
})
after(() => context.close())

const get = async <T>(operation: Operation, url: string): Promise<T> => {
  const response = await context.app.inject(url)
  assertKept(operation, response)
  return bodyOf<T>(response)
}

const noRunners = { cards: async () => [] }

const registry = (defaultModel?: string, now?: () => number) => {
  const { redis, keys, app } = context
  return createModelRegistry({ redis, keys, runners: noRunners, defaultModel, log: app.log, ...(now && { now }) })
}

test('models are ordered by the runners’ order, then id, and the first is the default', async () => {
  assert.deepEqual(
    (await registry().cards()).map(({ id }) => id),
    ['emoji-32', 'a-second', 'b-second']
  )
  assert.deepEqual(
    (await registry('b-second').cards()).map(({ id }) => id),
    ['b-second', 'emoji-32', 'a-second']
  )
})

test('whoever announces last, the default is the model of the lowest place on any runner, of several the one that came first', async () => {
  const { redis, app } = context
  const keys = { ...context.keys, models: `${context.keys.models}:places`, revisions: `${context.keys.revisions}:places` }
  const announced_at = new Date().toISOString()
  const runner = (pool: string, ...ids: string[]): RunnerCard => ({
    id: `run_${pool}`,
    version: '0.1.0',
    started_at: announced_at,
    announced_at,
    max_batch: 1,
    pool,
    models: ids.map((id) => ({ id, revision: 'f8220c2e1e3c', image_ms: null, latency_ms: null }))
  })
  const announce = (id: string, order: number) =>
    redis.hset(keys.models, id, JSON.stringify(modelCard({ id, revision: 'f8220c2e1e3c', order, announced_at })))
  const live = [runner('small', 'small-one'), runner('large', 'large-one', 'small-one')]
  const first = async () => {
    const runners = { cards: async () => live }
    return (await createModelRegistry({ redis, keys, runners, defaultModel: undefined, log: app.log }).cards()).map(
      ({ id }) => id
    )
  }
  await redis.zadd(keys.revisions, 1, 'small-one@f8220c2e1e3c', 2, 'large-one@f8220c2e1e3c')
  await announce('large-one', 0)
  for (const order of [0, 1, 0, 1]) {
    await announce('small-one', order)
    assert.deepEqual(await first(), ['small-one', 'large-one'])
  }
  await redis.zadd(keys.revisions, 3, 'small-one@f8220c2e1e3c')
  assert.deepEqual(await first(), ['large-one', 'small-one'])
})

test('models that runners announce no more come last, unless all are such or one is configured', async () => {
  const { keys, redis, app } = context
  const models = `${keys.models}:retired`
  const idsNow = async (defaultModel?: string) => {
    const cards = await createModelRegistry({
      redis,
      keys: { ...keys, models },
      runners: noRunners,
      defaultModel,
      log: app.log
    }).cards()
    return cards.map(({ id }) => id)
  }
  const announce = (id: string, order: number, announced_at: string) =>
    redis.hset(models, id, JSON.stringify(modelCard({ id, order, announced_at })))
  await announce('retired', 0, '2026-01-01T00:00:00.000Z')
  assert.deepEqual(await idsNow(), ['retired'])
  await announce('live', 1, '2026-01-01T00:05:00.000Z')
  assert.deepEqual(await idsNow(), ['retired', 'live'])
  await announce('live', 1, '2026-01-01T00:05:00.001Z')
  assert.deepEqual(await idsNow(), ['live', 'retired'])
  assert.deepEqual(await idsNow('retired'), ['retired', 'live'])
  await announce('live-too', 0, '2026-01-01T00:04:30.000Z')
  assert.deepEqual(await idsNow(), ['live-too', 'live', 'retired'])
})

test('of the revisions that runners offer the newest is offered, whoever announced last; without runners the last one', async () => {
  const { redis, app } = context
  const keys = { ...context.keys, models: `${context.keys.models}:revisions` }
  const runner = (started_at: string, ...revisions: (string | undefined)[]): RunnerCard => ({
    id: `run_${started_at}`,
    version: '0.1.0',
    started_at,
    announced_at: started_at,
    max_batch: 1,
    models: revisions.map((revision) => ({
      id: 'emoji-32',
      ...(revision !== undefined && { revision }),
      image_ms: null,
      latency_ms: null
    }))
  })
  const offered = async (...live: RunnerCard[]) => {
    const runners = { cards: async () => live }
    const [card] = await createModelRegistry({ redis, keys, runners, defaultModel: undefined, log: app.log }).cards()
    return card?.revision
  }
  for (const [since, revision] of ['old', 'new'].entries()) {
    await redis.set(keys.modelRevision('emoji-32', revision), JSON.stringify(modelCard({ revision })))
    await redis.zadd(keys.revisions, since, `emoji-32@${revision}`)
  }
  const announce = (revision: string) => redis.hset(keys.models, 'emoji-32', JSON.stringify(modelCard({ revision })))
  const [old, both, fresh] = [
    runner('2026-01-01T00:00:02.000Z', 'old'),
    runner('2026-01-01T00:00:01.000Z', 'old', 'new'),
    runner('2026-01-01T00:00:00.000Z', 'new')
  ]
  for (const last of ['old', 'new', 'gone']) {
    await announce(last)
    assert.equal(await offered(), last)
    assert.equal(await offered(old, fresh), 'new', last)
    assert.equal(await offered(fresh), 'new', last)
    assert.equal(await offered(old), 'old', last)
    // One that serves two revisions offers the first.
    assert.equal(await offered(both), 'old', last)
    assert.equal(await offered(runner('2026-01-01T00:00:03.000Z', undefined)), last)
    assert.equal(await offered(runner('2026-01-01T00:00:03.000Z', 'lapsed')), last)
  }
})

test('cards that cannot be read are left out and logged once', async () => {
  let now = 0
  const linesOf = (model: string) => context.logLines.filter((line) => line.includes(`"model":"${model}"`)).length
  const before = ['broken', 'garbage'].map(linesOf)
  const cached = registry(undefined, () => now)
  await cached.cards()
  now = 10_000
  await cached.cards()
  assert.deepEqual(
    ['broken', 'garbage'].map(linesOf),
    before.map((count) => count + 1)
  )
})

test('cards are looked up at most every half second, once for all who ask', async () => {
  let now = 0
  const cached = registry(undefined, () => now)
  const [first, second] = await Promise.all([cached.cards(), cached.cards()])
  assert.equal(first, second)
  now = 499
  assert.equal(await cached.cards(), first)
  now = 500
  assert.notEqual(await cached.cards(), first)
})

test('the public model has no runner’s fields and says whether it is the default', async () => {
  const { data } = await get<{ data: Model[] }>(listModels, '/models')
  assert.deepEqual(
    data.map((model) => [model.id, model.default]),
    [
      ['emoji-32', true],
      ['a-second', false],
      ['b-second', false]
    ]
  )
  const model = await get<Model>(getModel, '/v1/models/emoji-32')
  assert.equal(model.default, true)
  assert.ok(!('classes' in model) && !('order' in model))
  assert.equal((await context.app.inject('/models/absent')).statusCode, 404)
})

test('classes are searched by part of their name, in pages', async () => {
  const search = (query: string) =>
    get<{ data: { label: number }[]; total: number }>(listModelClasses, `/models/emoji-32/classes${query}`)
  assert.deepEqual(await search('?q=GRIN&limit=1&offset=1'), { data: [{ label: 1, name: 'grinning face' }], total: 2 })
  assert.equal((await search('')).total, 4)
  assert.deepEqual(await search('?q=zebra'), { data: [], total: 0 })
  for (const q of ['grinning_', 'GRINNING-FACE', 'ｇｒｉｎｎｉｎｇ', 'grin\u200bning'])
    assert.ok(
      (await search(`?q=${encodeURIComponent(q)}`)).data.some(({ label }) => label === 1),
      q
    )
})

test('a model without classes has none to search, and the refusal says what it takes', async () => {
  await context.announce(promptCard())
  await until('it is known', async () => (await context.app.inject('/models/painter')).statusCode === 200)
  const refused = await context.app.inject('/models/painter/classes')
  assertKept(listModelClasses, refused)
  const { code, detail, errors } = bodyOf<Problem>(refused)
  assert.deepEqual(
    [refused.statusCode, code, detail],
    [
      422,
      'unsupported_for_model',
      'painter has no classes to choose from; it takes prompt, negative_prompt, size, cfg, schedule, previews.'
    ]
  )
  assert.deepEqual(errors, [{ pointer: '/path/id', detail }])
  const model = await get<Model>(getModel, '/models/painter')
  assert.deepEqual(
    [model.family, model.width, model.height, model.num_classes, model.vocabulary_size],
    ['painting', 24, 16, null, null]
  )
  assert.partialDeepStrictEqual(model.defaults, { cfg: 4, top_k: null, top_p: null })
})

test('a card of the release before this one is read as the one that its runner announces today', async () => {
  const unsupported = ['smooth', 'schedule', 'stop_at_scale', 'previews', 'return_tokens']
  for (const [id, earlier, now] of [
    ['able', earlierCard([], { id: 'able' }), ableCard({ id: 'able' })],
    ['less-able', earlierCard(unsupported, { id: 'less-able' }), modelCard({ id: 'less-able' })]
  ] as const) {
    await context.announce(earlier)
    await until('it is known', async () => (await context.app.inject(`/models/${id}`)).statusCode === 200)
    const { classes: _classes, order: _order, announced_at: _announcedAt, ...model } = now
    const { default: isDefault, pools: _pools, ...read } = await get<Model>(getModel, `/models/${id}`)
    assert.deepEqual(read, model)
    assert.equal(isDefault, id === 'able')
    assert.equal((await get<{ total: number }>(listModelClasses, `/models/${id}/classes`)).total, 4)
  }
})

test('without a model, requests and readiness are 503 and say what to start', async () => {
  const bare = await openTestApp({}, [])
  try {
    const refused = await post(bare.app, '/generate', {})
    assertKept(createGeneration, refused)
    assert.equal(bodyOf<{ code: string }>(refused).code, 'no_models')
    assert.ok(Number(refused.headers['retry-after']) > 0)
    const readiness = await bare.app.inject('/readyz')
    assertKept(getReadiness, readiness)
    assert.equal(readiness.statusCode, 503)
    assert.deepEqual(bodyOf<{ data: unknown[] }>(await bare.app.inject('/models')).data, [])
  } finally {
    await bare.close()
  }
})
