import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { Model, ProblemCode } from '@nextscale/openapi'
import type { Test } from 'supertest'
import { asProblem, type Method } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

const NOBODY = `gen_${'a'.repeat(26)}`

interface Case {
  name: string
  method?: Method
  path?: string
  prepare?: (test: Test) => Test
  /** JSON body of a `POST /generate`. */
  body?: unknown
  status: number
  code: ProblemCode
  /** JSON pointers of the fields at fault. */
  pointers?: string[]
  detail?: RegExp
}

const text = (type: string, body: string) => (sent: Test) => sent.set('content-type', type).send(body)

const cases: Case[] = [
  {
    name: 'a webhook at a private address',
    body: { webhook: { url: 'https://10.0.0.1/hook' } },
    status: 422,
    code: 'webhook_url_refused',
    pointers: ['/webhook/url']
  },
  {
    name: 'half a surrogate pair',
    prepare: text('application/json', '{"label":"\\ud800"}'),
    status: 422,
    code: 'text_refused',
    pointers: ['/label']
  },
  {
    name: 'U+0000 in the caller’s own texts',
    body: { metadata: { order: '4\u00002' } },
    status: 422,
    code: 'text_refused',
    pointers: ['/metadata/order']
  },
  { name: 'broken JSON', prepare: text('application/json', '{"seed":'), status: 400, code: 'malformed_json' },
  {
    name: 'an empty JSON body',
    prepare: text('application/json', ''),
    status: 400,
    code: 'invalid_request',
    detail: /is enough/
  },
  { name: 'a body that is a list', body: [], status: 400, code: 'invalid_request' },
  {
    name: 'a poisoned prototype',
    prepare: text('application/json', '{"__proto__":{"seed":1}}'),
    status: 400,
    code: 'invalid_request',
    pointers: ['/__proto__']
  },
  { name: 'an unknown field', body: { sed: 1 }, status: 400, code: 'invalid_request', pointers: ['/sed'], detail: /seed/ },
  { name: 'a field of the wrong type', body: { seed: '1' }, status: 400, code: 'invalid_request', pointers: ['/seed'] },
  {
    name: 'several fields at fault',
    body: { seed: -1, num_images: 17, top_p: 0, output: { format: 'gif' } },
    status: 400,
    code: 'invalid_request',
    pointers: ['/num_images', '/output/format', '/seed', '/top_p']
  },
  {
    name: 'quality for a lossless format',
    body: { output: { quality: 50 } },
    status: 400,
    code: 'invalid_request',
    pointers: ['/output/quality']
  },
  {
    name: 'metadata that is too long',
    body: { metadata: { a: 'x'.repeat(513) } },
    status: 400,
    code: 'invalid_request',
    pointers: ['/metadata/a']
  },
  { name: 'another media type', prepare: text('text/plain', 'fox'), status: 415, code: 'unsupported_media_type' },
  {
    name: 'a form',
    prepare: (sent) => sent.type('form').send({ class_name: 'fox' }),
    status: 415,
    code: 'unsupported_media_type'
  },
  { name: 'a body over the limit', body: { label: 'x'.repeat(200_000) }, status: 413, code: 'body_too_large' },
  {
    name: 'an unknown model',
    body: { model: 'd36' },
    status: 422,
    code: 'unknown_model',
    pointers: ['/model'],
    detail: /emoji-32/
  },
  { name: 'a label past the classes', body: { class_label: 60 }, status: 422, code: 'unknown_class', pointers: ['/class_label'] },
  {
    name: 'an unknown class',
    body: { class_name: 'foks' },
    status: 422,
    code: 'unknown_class',
    pointers: ['/class_name'],
    detail: /fox/
  },
  {
    name: 'more kept tokens than there are',
    body: { top_k: 1025 },
    status: 422,
    code: 'out_of_range_for_model',
    pointers: ['/top_k']
  },
  {
    name: 'a schedule that does not fit the scales',
    body: { schedule: { cfg: [1, 1], top_p: [] } },
    status: 422,
    code: 'out_of_range_for_model',
    pointers: ['/schedule/cfg', '/schedule/top_p'],
    detail: /7 scales/
  },
  {
    name: 'more kept tokens than there are, at one scale',
    body: { schedule: { top_k: [0, 1, 1024, 1025, 0, 0, 0] } },
    status: 422,
    code: 'out_of_range_for_model',
    pointers: ['/schedule/top_k/3']
  },
  {
    name: 'a label past the classes, at one scale',
    body: { schedule: { class_label: [0, null, 59, 0, 0, 0, 60] } },
    status: 422,
    code: 'unknown_class',
    pointers: ['/schedule/class_label/6']
  },
  {
    name: 'a schedule outside what any model takes',
    body: { schedule: { cfg: [0, 21], top_k: [-1], top_p: [0], class_label: ['fox'], smooth: true } },
    status: 400,
    code: 'invalid_request',
    pointers: ['/schedule/cfg/1', '/schedule/class_label/0', '/schedule/smooth', '/schedule/top_k/0', '/schedule/top_p/0']
  },
  {
    name: 'a host name that is not ours (DNS rebinding)',
    prepare: (sent) => sent.set('host', 'evil.example').send({}),
    status: 403,
    code: 'host_not_allowed'
  },
  {
    name: 'a body that is wrong in hundreds of places',
    body: { schedule: { class_label: new Array(10_000).fill('x') } },
    status: 400,
    code: 'invalid_request'
  },
  { name: 'an unknown route', method: 'get', path: '/v1/pictures', status: 404, code: 'route_not_found' },
  {
    name: 'a path that is not decodable',
    method: 'get',
    path: '/v1/generations/%E0%A4%A',
    status: 400,
    code: 'invalid_request',
    detail: /percent-encoding/
  },
  { name: 'another method', method: 'put', path: '/generate', status: 405, code: 'method_not_allowed' },
  {
    name: 'reading a generation that never was',
    method: 'get',
    path: `/v1/generations/${NOBODY}`,
    status: 404,
    code: 'generation_not_found'
  },
  {
    name: 'reading an id of the wrong form',
    method: 'get',
    path: '/v1/generations/17',
    status: 404,
    code: 'generation_not_found'
  },
  { name: 'canceling one', method: 'post', path: `/v1/generations/${NOBODY}/cancel`, status: 404, code: 'generation_not_found' },
  { name: 'deleting one', method: 'delete', path: `/v1/generations/${NOBODY}`, status: 404, code: 'generation_not_found' },
  {
    name: 'a wait that is too long',
    method: 'get',
    path: `/v1/generations/${NOBODY}?wait=61`,
    status: 400,
    code: 'invalid_request',
    pointers: ['/query/wait']
  },
  {
    name: 'a wait that is no number',
    method: 'get',
    path: `/v1/generations/${NOBODY}?wait=x`,
    status: 400,
    code: 'invalid_request',
    pointers: ['/query/wait']
  },
  {
    name: 'an unknown query field',
    method: 'get',
    path: '/v1/generations?page=2',
    status: 400,
    code: 'invalid_request',
    pointers: ['/query/page']
  },
  { name: 'a cursor of another server', method: 'get', path: '/v1/generations?cursor=abc', status: 400, code: 'invalid_cursor' },
  { name: 'an unknown model page', method: 'get', path: '/v1/models/d36', status: 404, code: 'model_not_found' },
  { name: 'its classes', method: 'get', path: '/v1/models/d36/classes', status: 404, code: 'model_not_found' }
]

for (const { name, method = 'post', path = '/v1/generate', prepare, body, status, code, pointers, detail } of cases) {
  test(`${name}: ${status} ${code}`, async () => {
    const response = await service.client.send(
      method,
      path,
      prepare ?? ((sent) => (body === undefined ? sent : sent.send(body as object)))
    )
    const problem = asProblem(response)
    assert.deepEqual([response.status, problem.code], [status, code], JSON.stringify(problem))
    assert.equal(problem.status, status)
    assert.equal(problem.request_id, response.headers['x-request-id'])
    if (pointers) assert.deepEqual(problem.errors.map(({ pointer }) => pointer).toSorted(), pointers)
    if (detail) assert.match(JSON.stringify(problem), detail)
  })
}

test('a model lists what it takes, and of all that models may take what it does not', async () => {
  const { body } = await service.client.send('get', '/v1/models/emoji-32')
  const { capabilities, unsupported, defaults } = body as Model
  const taken = [
    'class_label',
    'class_name',
    'cfg',
    'top_k',
    'top_p',
    'smooth',
    'schedule',
    'stop_at_scale',
    'previews',
    'return_tokens'
  ]
  assert.deepEqual(capabilities, taken)
  assert.deepEqual(unsupported, ['prompt', 'negative_prompt', 'size'])
  assert.deepEqual(defaults, { cfg: 1.5, top_k: 200, top_p: 0.95 })
})

test('an optional field may say that it is not wanted', async () => {
  const { id } = await service.client.generate({
    previews: 'none',
    webhook: null,
    stop_at_scale: null
  })
  assert.equal((await service.client.finish(id)).status, 'succeeded')
})

test('405 names the methods that are taken', async () => {
  const response = await service.client.send('patch', '/v1/generations')
  assert.equal(response.status, 405)
  assert.match(response.headers['allow'] ?? '', /GET/)
})

test('what is not HTTP gets a problem too, and the server lives on', async () => {
  const { port, hostname } = new URL(service.baseUrl)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.end('nonsense\r\n\r\n'))
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.equal((await service.client.send('get', '/healthz')).status, 200)
})

test('nothing refused has left a generation behind', async () => {
  const { body } = await service.client.send('get', '/v1/generations')
  assert.equal((body as { data: unknown[] }).data.length, 1)
})
