import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Generation, Model } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from './support/deployment.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

const run = async (body: object): Promise<Generation> => {
  const { client } = service
  const generation = await client.finish((await client.generate(body)).id)
  assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
  return generation
}

const pictures = async (generation: Generation): Promise<Buffer[]> =>
  Promise.all(generation.outputs.map(({ url }) => service.client.fetchPicture(url)))

const picture = async (body: object): Promise<Buffer> => {
  const [only] = await pictures(await run(body))
  assert.ok(only)
  return only
}

for (const [format, contentType] of [
  ['png', 'image/png'],
  ['webp', 'image/webp'],
  ['jpeg', 'image/jpeg']
] as const) {
  test(`a ${format} is made, stored and linked, and is what its record says`, async () => {
    const generation = await run({ class_name: 'fox', seed: 7, output: { format } })
    const [output] = generation.outputs
    assert.ok(output)
    const bytes = await service.client.fetchPicture(output.url)
    const { width, height, format: found, exif } = await sharp(bytes).metadata()
    assert.deepEqual([found, width, height], [format, 32, 32])
    assert.deepEqual([output.content_type, output.width, output.height, output.bytes], [contentType, 32, 32, bytes.length])
    assert.equal(output.sha256, createHash('sha256').update(bytes).digest('hex'))
    assert.match(exif?.toString('latin1') ?? '', /"class_name":"fox","seed":7/)
    assert.ok(Date.parse(output.url_expires_at) > Date.now())
  })
}

test('the accepted generation shows every setting, and where to read it', async () => {
  const { client } = service
  const response = await client.send('post', '/v1/generate', (sent) =>
    sent.send({ class_label: 3, metadata: { order: '17' }, label: 'mine', priority: 'high' })
  )
  const generation = response.body as Generation
  assert.equal(response.status, 202)
  assert.equal(response.headers['location'], generation.urls.self)
  assert.equal(generation.urls.self, `${service.baseUrl}/v1/generations/${generation.id}`)
  const { seed, model_revision: revision, ...input } = generation.input
  assert.ok(Number.isInteger(seed) && revision !== '')
  const { defaults } = (await client.send('get', '/v1/models/emoji-32')).body as Model
  assert.deepEqual(input, {
    model: 'emoji-32',
    class_label: 3,
    class_name: 'panda',
    prompt: null,
    negative_prompt: null,
    size: null,
    num_images: 1,
    ...defaults,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'high',
    smooth: false,
    schedule: null,
    return_tokens: false,
    stop_at_scale: null,
    previews: [],
    keep: null,
    deadline_seconds: 600,
    start_deadline_seconds: null,
    retention_seconds: 86_400
  })
  assert.deepEqual([generation.metadata, generation.label], [{ order: '17' }, 'mine'])
  const finished = await client.finish(generation.id)
  assert.deepEqual([finished.input, finished.metadata, finished.label], [generation.input, generation.metadata, generation.label])
})

test('a finished generation tells its times, its progress and its batch', async () => {
  const {
    metrics,
    progress,
    attempt,
    started_at: started,
    completed_at: completed,
    created_at: created,
    stage
  } = await run({ num_images: 2 })
  assert.deepEqual(progress, { scale: 7, scales: 7, tokens: 310, tokens_total: 310 })
  assert.deepEqual([attempt, stage, metrics.batch_size, metrics.scale_ms?.length], [1, null, 2, 7])
  for (const time of ['queue_ms', 'sample_ms', 'decode_ms', 'encode_ms', 'upload_ms', 'total_ms'] as const)
    assert.ok(metrics[time] !== null, time)
  assert.ok(Date.parse(created) <= Date.parse(started ?? '') && Date.parse(started ?? '') <= Date.parse(completed ?? ''))
})

test('same seed and settings: same bytes', async () => {
  const body = { class_name: 'panda', seed: 99, cfg: 4 }
  assert.deepEqual(await picture(body), await picture(body))
})

test('image i of a generation is the image its seed makes alone, also past the end of uint32', async () => {
  const generation = await run({ class_name: 'sun', seed: 4_294_967_294, num_images: 4 })
  assert.deepEqual(
    generation.outputs.map(({ seed }) => seed),
    [4_294_967_294, 4_294_967_295, 0, 1]
  )
  const together = await pictures(generation)
  for (const [index, { seed }] of generation.outputs.entries()) {
    assert.deepEqual(together[index], await picture({ class_name: 'sun', seed }))
  }
})

test('many callers at once get what each would have got alone', async () => {
  const bodies = Array.from({ length: 24 }, (_, i) => ({
    class_label: i % 2 ? i : null,
    seed: 1_000 + i,
    cfg: i % 5,
    top_k: i * 10
  }))
  const together = await Promise.all(bodies.map(run))
  assert.ok(together.some(({ metrics }) => (metrics.batch_size ?? 0) > 4))
  for (const index of [0, 7, 23]) {
    const [shared] = await pictures(together[index] ?? assert.fail())
    assert.deepEqual(shared, await picture(bodies[index] ?? {}))
  }
})

test('without a seed two requests differ, and the drawn seed repeats the picture', async () => {
  const [first, second] = [await run({ class_name: 'gem' }), await run({ class_name: 'gem' })]
  assert.notEqual(first.input.seed, second.input.seed)
  assert.deepEqual(await picture({ class_name: 'gem', seed: first.input.seed }), (await pictures(first))[0])
})

test('every knob reaches the sampler', async () => {
  const base = { class_name: 'tree', seed: 5 }
  const variants = [{}, { cfg: 0 }, { top_k: 3 }, { top_p: 0.1 }, { class_name: null }, { class_name: 'rose' }]
  const made = await Promise.all(variants.map((change) => picture({ ...base, ...change, output: { metadata: false } })))
  assert.equal(new Set(made.map((bytes) => bytes.toString('base64'))).size, variants.length)
})

test('more pictures than fit into a batch are made in several', async () => {
  const small = await deploy({ env: { MAX_BATCH: '3' } })
  try {
    const { id } = await small.client.generate({ class_name: 'sun', seed: 1, num_images: 7 })
    const { outputs, metrics, progress } = await small.client.finish(id)
    assert.deepEqual([outputs.length, metrics.batch_size, progress?.tokens], [7, 3, 7 * 155])
    const hashes = (await run({ class_name: 'sun', seed: 1, num_images: 7 })).outputs.map(({ sha256 }) => sha256)
    assert.deepEqual(
      outputs.map(({ sha256 }) => sha256),
      hashes
    )
  } finally {
    await small.close()
  }
})

test('a long-poll answers as soon as the generation is terminal', async () => {
  const { client } = service
  const { id } = await client.generate({})
  const begun = Date.now()
  const generation = await client.read(id, 30)
  assert.equal(generation.status, 'succeeded')
  assert.ok(Date.now() - begun < 10_000)
})

test('a picture link works until it is tampered with', async () => {
  const [output] = (await run({})).outputs
  assert.ok(output)
  const url = new URL(output.url)
  const tampered = [
    ['signature', 'A'.repeat(43)],
    ['expires', String(Number(url.searchParams.get('expires')) + 1)]
  ] as const
  for (const [name, value] of tampered) {
    const changed = new URL(url)
    changed.searchParams.set(name, value)
    const { status, body } = await service.client.send('get', `${changed.pathname}${changed.search}`)
    assert.deepEqual([status, (body as { code: string }).code], [403, 'link_invalid'])
  }
})
