import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { type Generation, pictureKey } from '@nextscale/openapi'
import { mintStreamToken } from '../../generations/stream-tokens.ts'
import { ableCard } from '../../testing/model-card.ts'
import { openTestApp, type TestApp } from '../../testing/test-app.ts'

const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 2 }
const SECRET_PATH = 'T000/SECRETPATH'

let context: TestApp
let base: string
const hanging = new AbortController()
before(async () => {
  context = await openTestApp({ EGRESS: 'any' }, [ableCard()])
  base = await context.app.listen({ port: 0, host: '127.0.0.1' })
  await context.runner(async ({ id = '', data: { label } }) => {
    if (label === 'hangs') await once(hanging.signal, 'abort')
    const key = pictureKey(id, 0, 'png')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
  })
})
after(() => {
  hanging.abort()
  return context.close()
})

const open = async (path: string): Promise<IncomingMessage> => {
  const [response] = (await once(get(`${base}${path}`, { agent: false }), 'response')) as [IncomingMessage]
  return response
}

/** A link to the events of a generation, good for some seconds. */
const linkFor = async (id: string, seconds: number) => {
  const secret = createSecretKey((await context.redis.getBuffer(context.keys.streamSecret)) ?? assert.fail())
  const token = mintStreamToken(secret, id, 'local', Date.now() - (3600 - seconds) * 1000)
  return { token, path: `/generations/${id}/events?token=${token}` }
}

/** Generations that a stream has sent whole. */
const shownIn = (stream: string): Generation[] =>
  [...stream.matchAll(/^event: (?:snapshot|end)\ndata: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as Generation)

const body = { label: 'the customer', metadata: { customer: '42' }, webhook: { url: `http://127.0.0.1:9/${SECRET_PATH}` } }

test('who has a link sees the pictures, and nothing that is its maker’s', async () => {
  const { id } = await context.generate(body)
  const { path } = await linkFor(id, 600)
  const stream = await text(await open(path))
  for (const secret of [SECRET_PATH, 'the customer', '"42"']) assert.ok(!stream.includes(secret), secret)
  const shown = shownIn(stream)
  assert.ok(shown.length > 0)
  for (const { webhook, metadata, label } of shown) assert.deepEqual([webhook, metadata, label], [null, {}, null])
  assert.equal(shown.at(-1)?.outputs.length, 1)
  // Its maker sees all of it.
  const own = await text(await open(`/generations/${id}/events`))
  for (const secret of [SECRET_PATH, 'the customer', '"42"']) assert.ok(own.includes(secret), secret)
})

test('nothing that a link hands out outlives it: no token, and no link to a picture', async () => {
  const { id } = await context.generate()
  const { token, path } = await linkFor(id, 20)
  const stream = await text(await open(path))
  const tokens = [...stream.matchAll(/token=([\w.-]+)/g)].map(([, found]) => found)
  assert.deepEqual([...new Set(tokens)], [token])
  const ends = Number.parseInt(token, 36) * 1000
  const shown = shownIn(stream)
  const links = shown.flatMap(({ outputs }) => outputs)
  assert.ok(links.length > 0)
  for (const { url, url_expires_at: until } of links) {
    assert.ok(Date.parse(until) <= ends, `${until} is after ${new Date(ends).toISOString()}`)
    assert.ok(Number(new URL(url).searchParams.get('expires')) * 1000 <= ends)
  }
})

test('a stream ends with the token that opened it, and cannot be opened again', async () => {
  const { id } = await context.generate({ label: 'hangs' })
  const { path } = await linkFor(id, 2)
  const begun = performance.now()
  const response = await open(path)
  assert.equal(response.statusCode, 200)
  assert.match(await text(response), /event: snapshot/)
  assert.ok(performance.now() - begun < 10_000)
  assert.equal((await open(path)).statusCode, 401)
})
