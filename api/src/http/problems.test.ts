import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FORMS, operations, type Problem } from '@nextscale/openapi'
import { pointersOf, problemOf } from '../testing/problem-of.ts'
import { sendRaw } from '../testing/send-raw.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../testing/test-app.ts'

const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const JSON_HEADERS = { 'content-type': 'application/json' }

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

test('every field at fault is named by a pointer, all in one answer', async () => {
  const body = {
    num_images: 0,
    class_label: 'cat',
    seed: 1.5,
    cfg: '3',
    output: { quality: 500, format: 'gif' },
    metadata: { a: 1 }
  }
  const problem = problemOf(await post(context.app, '/generate', body), 'invalid_request')
  assert.deepEqual(pointersOf(problem), [
    '/cfg',
    '/class_label',
    '/metadata/a',
    '/num_images',
    '/output/format',
    '/output/quality',
    '/seed'
  ])
})

test('an unknown field is refused, with the field that was meant or those there are', async () => {
  const problem = problemOf(
    await post(context.app, '/generate', { num_imges: 2, output: { zzzzzzzz: 1 }, 'a/b': 1 }),
    'invalid_request'
  )
  assert.deepEqual(pointersOf(problem), ['/a~1b', '/num_imges', '/output/zzzzzzzz'])
  const details = new Map(problem.errors.map(({ pointer, detail }) => [pointer, detail]))
  assert.match(details.get('/num_imges') ?? '', /Did you mean num_images\?/)
  assert.match(details.get('/output/zzzzzzzz') ?? '', /The fields are format, quality, metadata/)
})

test('a union is described by the branch that was meant', async () => {
  const problem = problemOf(
    await post(context.app, '/generate', { class_label: -1, previews: 'some', label: 5 }),
    'invalid_request'
  )
  assert.deepEqual(problem.errors.map(({ pointer, detail }) => `${pointer} ${detail}`).toSorted(), [
    '/class_label Must be at least 0, not -1.',
    '/label Must be a string or null, not 5.',
    '/previews Must be one of none, auto, not "some".'
  ])
  const previews = async (value: unknown) =>
    problemOf(await post(context.app, '/generate', { previews: value }), 'invalid_request').errors
  assert.deepEqual(await previews([-1]), [{ pointer: '/previews/0', detail: 'Must be at least 0, not -1.' }])
  assert.deepEqual(await previews(5), [{ pointer: '/previews', detail: 'Must be none, auto, an array or null, not 5.' }])
})

test('what is counted is counted as people do, one in the singular', async () => {
  const detailOf = async (body: object) =>
    problemOf(await post(context.app, '/generate', body), 'invalid_request').errors.map(({ detail }) => detail)
  assert.deepEqual(await detailOf({ class_name: '' }), ['Must have at least 1 character, not "".'])
  assert.deepEqual(await detailOf({ prompt: '' }), ['Must have at least 1 character, not "".'])
  assert.match((await detailOf({ label: 'x'.repeat(129) }))[0] ?? '', /^Must have at most 128 characters, not /)
  assert.deepEqual(await detailOf({ previews: true }), ['Must be none, auto, an array or null, not true.'])
})

const repeated = (entry: (index: number) => string, lengthBytes = 60_000) => {
  const entries: string[] = []
  for (let length = 0, index = 0; length < lengthBytes; length += (entries.at(-1)?.length ?? 0) + 1, index++)
    entries.push(entry(index))
  return entries.join(',')
}

const HOSTILE_BODIES: Record<string, string> = {
  'unknown fields': `{${repeated((index) => `"a${index}":1`)}}`,
  'long unknown fields': `{${repeated((index) => `"${`num_image${index}`.padEnd(64, 'x')}":1`)}}`,
  'unknown fields of a union': `{"schedule":{${repeated((index) => `"a${index}":1`)}}}`,
  'wrong entries of a union in a union': `{"schedule":{"class_label":[${repeated(() => '"x"')}]}}`,
  'wrong entries': `{"schedule":{"cfg":[${repeated(() => '[]')}]}}`,
  'wrong previews': `{"previews":[${repeated(() => '"x"')}]}`,
  'many previews': `{"previews":[${repeated(String)}]}`,
  'wrong events': `{"webhook":{"url":"https://example.org","events":[${repeated(() => '{}')}]}}`,
  'wrong metadata': `{"metadata":{${repeated((index) => `"${index}":1`)}}}`,
  'wrong names in metadata': `{"metadata":{${repeated((index) => `"${String(index).padEnd(70, 'x')}":[]`)}}}`,
  'one long text': `{"label":"${'x'.repeat(60_000)}"}`
}

test('a hostile body is refused at once, and with few errors', async () => {
  const headers = JSON_HEADERS
  for (const [name, payload] of Object.entries(HOSTILE_BODIES)) {
    const startedAt = performance.now()
    const response = await context.app.inject({ method: 'POST', url: '/generate', headers, payload })
    const elapsedMs = performance.now() - startedAt
    const { errors } = problemOf(response, 'invalid_request')
    assert.ok(errors.length > 0 && errors.length <= 20, `${name}: ${errors.length} errors`)
    assert.ok(elapsedMs < 1000, `${name}: ${elapsedMs} ms`)
  }
})

test('a union with more errors than are looked at still says what was meant', async () => {
  const problem = problemOf(
    await post(context.app, '/generate', { schedule: { class_label: Array(500).fill('x') } }),
    'invalid_request'
  )
  assert.match(problem.errors[0]?.detail ?? '', /^Must have at most 64 entries/)
  assert.deepEqual(problem.errors[1], { pointer: '/schedule/class_label/0', detail: 'Must be an integer or null, not "x".' })
  assert.ok(problem.errors.every(({ detail }) => !detail.startsWith('Must be null')))
})

const detailsOf = async (payload: string) => {
  const response = await context.app.inject({ method: 'POST', url: '/generate', headers: JSON_HEADERS, payload })
  return problemOf(response, 'invalid_request').errors.map(({ pointer, detail }) => `${pointer} ${detail}`)
}

test('a refusal shows the number that was sent, as it was spelt', async () => {
  for (const [payload, said] of [
    ['{"cfg":1e400}', '/cfg Must be at most 20, not 1e400.'],
    ['{"cfg":-1E+400}', '/cfg Must be at least 0, not -1E+400.'],
    ['{"top_p":1.50000000000000001}', '/top_p Must be at most 1, not 1.50000000000000001.'],
    ['{"num_images":9007199254740993}', '/num_images Must be at most 16, not 9007199254740993.'],
    ['{"num_images":2e1}', '/num_images Must be at most 16, not 2e1.'],
    ['{"num_images":-0}', '/num_images Must be at least 1, not -0.'],
    ['{"schedule":{"cfg":[1,1e999,2]}}', '/schedule/cfg/1 Must be at most 20, not 1e999.'],
    ...['class_label', 'top_k', 'stop_at_scale'].map((field) => {
      return [`{"${field}":9007199254740993}`, `/${field} Must be at most 2147483647, not 9007199254740993.`] as const
    }),
    ['{"previews":[9007199254740993]}', '/previews/0 Must be at most 2147483647, not 9007199254740993.'],
    ['{"schedule":{"top_k":[9007199254740993]}}', '/schedule/top_k/0 Must be at most 2147483647, not 9007199254740993.'],
    ['{"metadata":{"a/b":12345678901234567890}}', '/metadata/a~1b Must be a string, not 12345678901234567890.'],
    ['{"label":[{"a":[1e400,"1e400"]}]}', '/label Must be a string or null, not [{"a":[1e400,"1e400"]}].']
  ] as const) {
    assert.deepEqual(await detailsOf(payload), [said])
  }
  const [seed] = await detailsOf('{"seed":9007199254740993}')
  assert.equal(seed, '/seed Must be at most 4294967295, not 9007199254740993. Leave it out for a random one.')
})

test('a seed that is none says how to get a random one', async () => {
  assert.deepEqual(await detailsOf('{"seed":-1}'), ['/seed Must be at least 0, not -1. Leave it out for a random one.'])
  const [text] = await detailsOf('{"seed":"random"}')
  assert.equal(text, '/seed Must be an integer or null, not "random". Leave it out for a random one.')
})

test('a form that is asked for is said in words', async () => {
  const { errors } = problemOf(await context.app.inject('/generations?model=Emoji-32'), 'invalid_request')
  assert.deepEqual(errors, [
    {
      pointer: '/query/model',
      detail: 'Must be the id of a model: lower-case letters, digits, ".", "_" and "-", 64 at most, not "Emoji-32".'
    }
  ])
  const patterns = operations.flatMap(({ query, headers, body }) =>
    [...JSON.stringify([query, headers, body]).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, text = '""']) =>
      JSON.parse(text)
    )
  )
  assert.ok(patterns.length >= 2)
  for (const pattern of patterns) assert.ok(FORMS[pattern], pattern)
})

test('a model that is not served is named with the one that was meant, whatever its form', async () => {
  for (const model of ['Emoji-32', 'emoji 32', 'EMOJI-32', 'emoji/32', '', ' ', 'ÄÖÜ', 'x'.repeat(5000)]) {
    const response = await post(context.app, '/generate', { model })
    const problem = problemOf(response, 'unknown_model')
    assert.deepEqual(pointersOf(problem), ['/model'])
    assert.match(problem.detail, /^".*"?…? is not served here\..* The models are emoji-32\.$/)
    assert.ok(problem.detail.length < 200)
    assert.equal(problem.detail.includes('Did you mean emoji-32?'), model.toLowerCase().startsWith('emoji'), model)
  }
  const read = problemOf(await context.app.inject('/models/Emoji-32'), 'model_not_found')
  assert.equal(read.detail, '"Emoji-32" is not served here. Did you mean emoji-32? The models are emoji-32.')
  problemOf(await context.app.inject('/models/Emoji-32/classes'), 'model_not_found')
})

test('metadata takes texts only, whatever their names', async () => {
  for (const name of ['a', 'a\nb', '\n', 'a\u2028b']) {
    const pointer = `/metadata/${name}`
    const problem = problemOf(await post(context.app, '/generate', { metadata: { [name]: { x: 1 } } }), 'invalid_request')
    assert.deepEqual(problem.errors, [{ pointer, detail: 'Must be a string, not {"x":1}.' }])
  }
  assert.deepEqual((await context.generate({ metadata: { 'a\nb': 'c' } })).metadata, { 'a\nb': 'c' })
})

test('a body over the limit is refused', async () => {
  const problem = problemOf(await post(context.app, '/generate', { label: 'x'.repeat(70_000) }), 'body_too_large')
  assert.match(problem.detail, /65536 bytes/)
})

test('query values are checked, with pointers of their own', async () => {
  const problem = problemOf(await context.app.inject(`/generations/${ID}?wait=soon&limit=3`), 'invalid_request')
  assert.deepEqual(pointersOf(problem), ['/query/limit', '/query/wait'])
  problemOf(await context.app.inject('/generations?limit=1000'), 'invalid_request')
  problemOf(await context.app.inject('/generations?status=done'), 'invalid_request')
})

test('an id that cannot exist is a 404 like any other', async () => {
  for (const id of ['nope', 'gen_', 'GEN_AAAAAAAAAAAAAAAAAAAAAAAAAA', 'x'.repeat(5000), '%00', '..%2f..%2fetc']) {
    problemOf(await context.app.inject(`/v1/generations/${id}`), 'generation_not_found')
  }
  problemOf(await context.app.inject('/models/NOPE'), 'model_not_found')
  problemOf(await context.app.inject(`/objects/generations/${ID}/x.exe?expires=1&signature=a`), 'object_not_found')
})

test('an unknown path is a 404, a path that is not percent-encoded a 400', async () => {
  problemOf(await context.app.inject('/nothing/here'), 'route_not_found')
  problemOf(await context.app.inject('/%zz'), 'invalid_request')
})

test('a known path with another method is a 405 that names the methods it takes', async () => {
  const put = await context.app.inject({ method: 'PUT', url: '/v1/generate', headers: JSON_HEADERS, payload: 'not json' })
  problemOf(put, 'method_not_allowed')
  assert.equal(put.headers['allow'], 'POST')
  const patch = await context.app.inject({ method: 'PATCH', url: `/generations/${ID}` })
  problemOf(patch, 'method_not_allowed')
  assert.equal(patch.headers['allow'], 'GET, HEAD, DELETE')
})

test('QUERY, which Fastify knows and no route takes, is refused like any other method, without a content type too', async () => {
  problemOf(await context.app.inject({ method: 'QUERY', url: '/healthz' }), 'method_not_allowed')
  problemOf(await context.app.inject({ method: 'QUERY', url: '/nothing' }), 'route_not_found')
})

test('every answer has a request id of its own', async () => {
  const ids = await Promise.all(
    ['/healthz', '/nothing', '/models'].map(async (url) => (await context.app.inject(url)).headers['x-request-id'])
  )
  assert.equal(new Set(ids).size, 3)
  assert.ok(ids.every((id) => typeof id === 'string' && id.startsWith('req_')))
})

test('what is not even HTTP is answered by a problem as well', async () => {
  problemOf(
    await sendRaw(context.app, `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`),
    'header_fields_too_large'
  )
  problemOf(await sendRaw(context.app, 'NONSENSE\r\n\r\n'), 'invalid_request')
})

test('what breaks inside is a 500 that tells the log more than the client', async () => {
  await context.redis.set(context.queue.toKey(ID), 'not a hash')
  const response = await context.app.inject(`/generations/${ID}`)
  const problem = problemOf(response, 'internal_error')
  assert.doesNotMatch(response.body, /WRONGTYPE/)
  assert.ok(context.logLines.some((line) => line.includes('WRONGTYPE') && line.includes(problem.request_id)))
  assert.equal(bodyOf<Problem>(response).retryable, true)
})
