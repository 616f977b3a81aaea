import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import {
  continueGeneration,
  type GenerateImageResult,
  type Generation,
  pictureKey,
  type Problem,
  type RunnerCard,
  terminalDeliveryId
} from '@nextscale/openapi'
import { assertKept } from '../../testing/contract.ts'
import { ableCard, earlierCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'

const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 2 }

const stopping = new AbortController()
let context: TestApp
before(async () => {
  context = await openTestApp({ EGRESS: 'any' }, [
    ableCard(),
    earlierCard(['deadline_seconds', 'stop_at_scale'], { id: 'older' }),
    ableCard({ id: 'changing' })
  ])
  await context.runner(async (job): Promise<GenerateImageResult> => {
    if (job.data.label === 'hangs') await once(stopping.signal, 'abort')
    if (job.data.label === 'expires') return { outcome: 'expired' }
    const key = pictureKey(job.id ?? '', 0, 'png')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
  })
})
after(() => {
  stopping.abort()
  return context.close()
})

const make = async (body: Record<string, unknown> = {}): Promise<Generation> => {
  const { id } = await context.generate(body)
  return finish(id)
}

const finish = async (id: string) => bodyOf<Generation>(await context.app.inject(`/generations/${id}?wait=10`))

const send = async (id: string, body: object) => {
  const response = await post(context.app, `/generations/${id}/continue`, body)
  assertKept(continueGeneration, response)
  return response
}

const goOn = async (id: string, body: object): Promise<Generation> => {
  const response = await send(id, body)
  assert.equal(response.statusCode, 202, response.body)
  return bodyOf<Generation>(response)
}

const refusal = async (id: string, body: object): Promise<[number, string, string | undefined]> => {
  const response = await send(id, body)
  const { code, errors } = bodyOf<Problem>(response)
  return [response.statusCode, code, errors[0]?.pointer]
}

const SETTINGS = {
  class_label: 1,
  seed: 7,
  cfg: 1.5,
  top_k: 5,
  top_p: 0.5,
  smooth: true,
  schedule: { cfg: [0, 1, 2] },
  num_images: 3,
  return_tokens: true,
  priority: 'low',
  retention_seconds: 500,
  output: { format: 'webp', quality: 50 }
}

test('a draft goes on with its own settings and seed, to all scales', async () => {
  const draft = await make({ ...SETTINGS, stop_at_scale: 1, label: 'mine', metadata: { a: 'b' } })
  const whole = await goOn(draft.id, {})
  assert.deepEqual(whole.input, { ...draft.input, stop_at_scale: null })
  assert.deepEqual([whole.parent, whole.label, whole.metadata], [{ id: draft.id, keep_scales: null }, null, {}])
  assert.deepEqual((await finish(whole.id)).parent, whole.parent)
})

test('a draft goes on to a later draft, and what is said anew is taken', async () => {
  const draft = await make({ ...SETTINGS, stop_at_scale: 0 })
  const changes = { priority: 'high', retention_seconds: 60, return_tokens: false, start_deadline_seconds: 9, label: 'next' }
  const next = await goOn(draft.id, { stop_at_scale: 1, output: { format: 'png' }, ...changes })
  const { label, ...settings } = changes
  const output = { format: 'png', quality: null, metadata: true }
  assert.deepEqual(next.input, { ...draft.input, ...settings, stop_at_scale: 1, output })
  assert.equal(next.label, label)
})

test('previews are the parent’s as far as they come before the picture, or those asked for', async () => {
  const draft = await make({ stop_at_scale: 1, previews: [0] })
  assert.deepEqual((await goOn(draft.id, {})).input.previews, [0])
  assert.deepEqual((await goOn(draft.id, { previews: [1, 0] })).input.previews, [0, 1])
  assert.deepEqual((await goOn(draft.id, { previews: 'none' })).input.previews, [])
  assert.deepEqual(await refusal(draft.id, { previews: [0, 2] }), [422, 'out_of_range_for_model', '/previews/1'])
  const whole = await make({ previews: [0, 1] })
  assert.deepEqual((await goOn(whole.id, { keep_scales: 1, stop_at_scale: 1 })).input.previews, [0])
})

test('of an output that is asked for in part, the rest is the parent’s', async () => {
  const { id } = await make({ stop_at_scale: 0, output: { format: 'webp', quality: 50, metadata: false } })
  const output = async (asked: object) => (await goOn(id, { output: asked })).input.output
  assert.deepEqual(await output({ metadata: true }), { format: 'webp', quality: 50, metadata: true })
  assert.deepEqual(await output({ quality: 60 }), { format: 'webp', quality: 60, metadata: false })
  assert.deepEqual(await output({ format: 'jpeg' }), { format: 'jpeg', quality: 90, metadata: false })
})

test('a webhook is refused with its field, as for a new generation', async () => {
  const { id } = await make({ stop_at_scale: 0 })
  const webhook = { url: 'http://user:word@127.0.0.1:9/hook' }
  assert.deepEqual(await refusal(id, { webhook }), [422, 'webhook_url_refused', '/webhook/url'])
  await goOn(id, { webhook: null })
})

test('a webhook is its own and not the parent’s', async () => {
  const draft = await make({ stop_at_scale: 0, webhook: { url: 'http://127.0.0.1:9/draft' } })
  assert.equal((await goOn(draft.id, {})).webhook, null)
  const { id, webhook } = await goOn(draft.id, { webhook: { url: 'http://127.0.0.1:9/whole' } })
  assert.deepEqual([webhook?.url, webhook?.status], ['http://127.0.0.1:9/whole', 'waiting'])
  assert.equal(webhook?.delivery_id, terminalDeliveryId(id))
})

test('a variation keeps the seed of the first scales and has another for the rest', async () => {
  const parent = await make(SETTINGS)
  const given = await goOn(parent.id, { keep_scales: 2, seed: 9 })
  assert.deepEqual(given.input, { ...parent.input, seed: 9, keep: { seed: 7, scales: 2 } })
  assert.deepEqual(given.parent, { id: parent.id, keep_scales: 2 })
  const drawn = [await goOn(parent.id, { keep_scales: 1 }), await goOn(parent.id, { keep_scales: 1 })]
  assert.equal(new Set(drawn.map(({ input }) => input.seed)).size, 2)
})

test('a variation of a variation keeps no more than that kept itself', async () => {
  const parent = await make({ seed: 7 })
  const { id } = await finish((await goOn(parent.id, { keep_scales: 1, seed: 8 })).id)
  const again = await goOn(id, { keep_scales: 1, seed: 9 })
  assert.deepEqual([again.input.keep, again.input.seed], [{ seed: 7, scales: 1 }, 9])
  assert.deepEqual(await refusal(id, { keep_scales: 2 }), [409, 'generation_not_continuable', undefined])
})

test('a draft of a variation goes on as that variation', async () => {
  const parent = await make({ seed: 7 })
  const draft = await finish((await goOn(parent.id, { keep_scales: 1, seed: 8, stop_at_scale: 1 })).id)
  const whole = await goOn(draft.id, {})
  assert.deepEqual(whole.input, { ...draft.input, stop_at_scale: null })
})

test('what cannot be kept, or is not there to be gone on to, is refused with its field', async () => {
  const whole = (await make({})).id
  const draft = (await make({ stop_at_scale: 0 })).id
  const later = (await make({ stop_at_scale: 1 })).id
  const outside = (pointer: string) => [422, 'out_of_range_for_model', pointer]
  assert.deepEqual(await refusal(whole, { keep_scales: 3 }), outside('/keep_scales'))
  assert.deepEqual(await refusal(draft, { keep_scales: 2 }), outside('/keep_scales'))
  assert.deepEqual(await refusal(whole, { keep_scales: 2, stop_at_scale: 1 }), outside('/stop_at_scale'))
  assert.deepEqual(await refusal(later, { stop_at_scale: 1 }), outside('/stop_at_scale'))
  assert.deepEqual(await refusal(later, { stop_at_scale: 3 }), outside('/stop_at_scale'))
  assert.deepEqual(await refusal(draft, { seed: 4 }), [400, 'invalid_request', '/seed'])
  assert.deepEqual(await refusal(whole, { keep_scales: 0 }), [400, 'invalid_request', '/keep_scales'])
  assert.deepEqual(await refusal(whole, {}), [409, 'generation_not_continuable', undefined])
  await goOn(draft, { keep_scales: 1 })
})

test('only a succeeded generation can be continued', async () => {
  assert.deepEqual(await refusal('gen_aaaaaaaaaaaaaaaaaaaaaaaaaa', {}), [404, 'generation_not_found', undefined])
  const { id: expired } = await make({ label: 'expires' })
  assert.deepEqual(await refusal(expired, {}), [409, 'generation_not_continuable', undefined])
  const { id: deleted } = await make({ stop_at_scale: 1 })
  await context.app.inject({ method: 'DELETE', url: `/generations/${deleted}` })
  assert.deepEqual(await refusal(deleted, {}), [410, 'generation_gone', undefined])
})

test('a model that has changed, is gone, or cannot do it is named', async () => {
  const { id } = await make({ model: 'changing', stop_at_scale: 1 })
  const { id: old } = await make({ model: 'older' })
  assert.deepEqual(await refusal(old, { keep_scales: 1 }), [422, 'unsupported_for_model', '/keep_scales'])
  const other = await openTestApp({}, [ableCard({ id: 'changing', revision: 'r2' })])
  const third = await openTestApp()
  try {
    for (const [app, code] of [
      [other, 'generation_not_continuable'],
      [third, 'unknown_model']
    ] as const) {
      const [key, index] = [context.queue.toKey(id), context.keys.index('local')]
      await app.redis.hset(key, await context.redis.hgetall(key))
      await app.redis.zadd(index, Date.now(), id)
      const response = await post(app.app, `/generations/${id}/continue`, {})
      assertKept(continueGeneration, response)
      assert.equal(bodyOf<Problem>(response).code, code)
    }
  } finally {
    await other.close()
    await third.close()
  }
})

test('a revision is continued if a runner that lives serves it, and refused at once if none does', async () => {
  const { id } = await make({ model: 'emoji-32', stop_at_scale: 1 })
  const announce = async (...revisions: string[]) => {
    const models = revisions.map((revision) => ({ id: 'emoji-32', revision, image_ms: null, latency_ms: null }))
    const now = new Date().toISOString()
    const card: RunnerCard = { id: 'run_a', version: '0.1.0', started_at: now, announced_at: now, max_batch: 4, models }
    await context.redis.hset(context.keys.runners, 'run_a', JSON.stringify(card))
    // What the API knows of runners is as old as this.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
  }
  await announce('r2')
  assert.deepEqual(await refusal(id, {}), [409, 'generation_not_continuable', undefined])
  await announce('r2', 'r1')
  await goOn(id, {})
  await context.redis.hdel(context.keys.runners, 'run_a')
})

test('one that is not done yet says when to ask again', async () => {
  const { id: waiting } = await context.generate({ label: 'hangs', stop_at_scale: 1 })
  const response = await send(waiting, {})
  assert.deepEqual([response.statusCode, bodyOf<Problem>(response).code], [409, 'generation_not_terminal'])
  assert.equal(response.headers['retry-after'], '1')
})
