import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ContinueRequest,
  type GenerateImageResult,
  GenerateRequest,
  type Generation,
  pictureKey,
  type Problem
} from '@nextscale/openapi'
import { ableCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'

const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 2 }
const URL = 'https://127.0.0.1/hook'

let context: TestApp
before(async () => {
  context = await openTestApp({ EGRESS: 'any' }, [ableCard()])
  await context.runner(async (job): Promise<GenerateImageResult> => {
    const key = pictureKey(job.id ?? '', 0, 'png')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
  })
})
after(() => context.close())

/** What was asked for, as it is in force. */
const askedOf = ({ input, metadata, label, webhook }: Generation) => ({ input, metadata, label, events: webhook?.events ?? null })

const accepted = async (url: string, body: unknown): Promise<Generation> => {
  const response = await post(context.app, url, body)
  assert.equal(response.statusCode, 202, `${JSON.stringify(body)}: ${response.body}`)
  return bodyOf<Generation>(response)
}

const nullFor = (fields: object) => Object.fromEntries(Object.keys(fields).map((name) => [name, null]))

/** A draft whose settings are none of the defaults. */
const makeDraft = async (): Promise<Generation> => {
  const body = { seed: 7, stop_at_scale: 1, output: { format: 'webp', quality: 50, metadata: false }, start_deadline_seconds: 50 }
  const { id } = await accepted('/generate', { ...body, priority: 'low', deadline_seconds: 99, retention_seconds: 500 })
  return bodyOf<Generation>(await context.app.inject(`/generations/${id}?wait=10`))
}

test('null for any field of a request is that field left out, and so is null for all of them', async () => {
  const expected = askedOf(await accepted('/generate', { seed: 7 }))
  const fields = nullFor(GenerateRequest.properties)
  for (const [name, value] of [...Object.entries(fields), ['', undefined] as const]) {
    const body = name === '' ? fields : { seed: 7, [name]: value }
    const { input, ...others } = askedOf(await accepted('/generate', body))
    const isDrawn = name === '' || name === 'seed'
    assert.deepEqual({ input: isDrawn ? { ...input, seed: 7 } : input, ...others }, expected, name)
  }
})

test('null for any field inside a field is that one left out', async () => {
  const plain = { seed: 7, webhook: { url: URL } }
  const expected = askedOf(await accepted('/generate', plain))
  for (const body of [
    { ...plain, output: { format: null, quality: null, metadata: null } },
    { ...plain, schedule: { cfg: null, top_k: null, top_p: null, class_label: null } },
    { seed: 7, webhook: { url: URL, events: null } }
  ])
    assert.deepEqual(askedOf(await accepted('/generate', body)), expected)
  const entries = { schedule: { class_label: [null, 1, null], cfg: null } }
  assert.deepEqual((await accepted('/generate', entries)).input.schedule?.class_label, [null, 1, null])
})

test('null for any field of a continuation is that field left out, but a start_deadline_seconds of null is none', async () => {
  const { id } = await makeDraft()
  const url = `/generations/${id}/continue`
  const expected = askedOf(await accepted(url, {}))
  assert.deepEqual([expected.input.start_deadline_seconds, expected.input.output.quality], [50, 50])
  const { start_deadline_seconds: _, ...others } = nullFor(ContinueRequest.properties)
  for (const body of [others, ...Object.keys(others).map((name) => ({ [name]: null }))])
    assert.deepEqual(askedOf(await accepted(url, body)), expected, JSON.stringify(body))
  const nested = { output: { format: null, quality: null, metadata: null } }
  assert.deepEqual(askedOf(await accepted(url, nested)), expected)
  const { input } = await accepted(url, { start_deadline_seconds: null })
  assert.deepEqual(input, { ...expected.input, start_deadline_seconds: null })
})

test('a request with nulls is the same request as one without, for an idempotency key', async () => {
  const { id: draft } = await makeDraft()
  const send = async (url: string, key: string, payload: object) => {
    const response = await context.app.inject({ method: 'POST', url, headers: { 'idempotency-key': key }, payload })
    assert.ok(response.statusCode < 300, response.body)
    return [bodyOf<Generation>(response).id, response.headers['idempotency-replayed']] as const
  }
  const bodies = { class_label: 1, output: { format: 'webp' } }
  const nulls = { ...nullFor(GenerateRequest.properties), class_label: 1, output: { format: 'webp', quality: null } }
  const [made] = await send('/generate', 'a', bodies)
  assert.deepEqual(await send('/generate', 'a', nulls), [made, 'true'])
  const [madeOfNulls] = await send('/generate', 'b', nulls)
  assert.deepEqual(await send('/generate', 'b', bodies), [madeOfNulls, 'true'])
  const url = `/generations/${draft}/continue`
  const [continued] = await send(url, 'c', { label: 'x', seed: null, webhook: null })
  assert.deepEqual(await send(url, 'c', { label: 'x' }), [continued, 'true'])
})

test('jpg is jpeg, in what is made and for an idempotency key', async () => {
  const { id: draft } = await makeDraft()
  for (const url of ['/generate', `/generations/${draft}/continue`]) {
    const send = (format: string) =>
      context.app.inject({
        method: 'POST',
        url,
        headers: { 'idempotency-key': url },
        payload: { output: { format, quality: 70 } }
      })
    const response = await send('jpg')
    const { id, input } = bodyOf<Generation>(response)
    assert.deepEqual(input.output, { format: 'jpeg', quality: 70, metadata: url === '/generate' })
    const again = await send('jpeg')
    assert.deepEqual([bodyOf<Generation>(again).id, again.headers['idempotency-replayed']], [id, 'true'])
  }
})

test('null for a field that is required, or for a name of metadata, is refused', async () => {
  for (const [url, body, pointer] of [
    ['/generate', { webhook: { url: null } }, '/webhook/url'],
    ['/generate', { metadata: { a: null } }, '/metadata/a'],
    ['/webhooks/test', { url: null }, '/url']
  ] as const) {
    const response = await post(context.app, url, body)
    const { errors } = bodyOf<Problem>(response)
    assert.equal(response.statusCode, 400)
    assert.deepEqual(errors, [{ pointer, detail: 'Must be a string, not null.' }])
  }
})
