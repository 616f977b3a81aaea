import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { deleteGeneration, cancelGeneration, type Generation, redeliverWebhook, rotateWebhookSecret } from '@nextscale/openapi'
import { assertKept } from '../testing/contract.ts'
import { pointersOf, problemOf } from '../testing/problem-of.ts'
import { sendRaw } from '../testing/send-raw.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const send = (payload: string | Buffer, headers: Record<string, string> = {}, url = '/generate') =>
  context.app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json', ...headers }, payload })

const SEED = '{"seed":7}'

/** Types that clients send beside a body of no bytes. */
const TYPES = [
  undefined,
  'application/json',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded;charset=UTF-8',
  'application/octet-stream',
  'text/plain;charset=UTF-8',
  'multipart/form-data; boundary=x',
  'application/json; charset=iso-8859-1',
  'nonsense',
  ''
]

test('an empty body is none, whatever its type and encoding: what needs no body does its work', async () => {
  const { id } = await context.generate()
  const cases = [
    [cancelGeneration, 'POST', `/generations/${id}/cancel`, 200, TYPES],
    [redeliverWebhook, 'POST', `/webhook-deliveries/whd_${'a'.repeat(26)}/redeliver`, 404, TYPES],
    // A rotation takes a second.
    [rotateWebhookSecret, 'POST', '/webhooks/secret/rotate', 200, ['text/plain']],
    [deleteGeneration, 'DELETE', `/generations/${id}`, 204, TYPES]
  ] as const
  for (const [operation, method, url, status, types] of cases) {
    for (const type of types) {
      const headers = { 'content-length': '0', 'content-encoding': 'gzip', ...(type !== undefined && { 'content-type': type }) }
      const response = await context.app.inject({ method, url, headers })
      assert.equal(response.statusCode, status, `${url} ${type}: ${response.body}`)
      assertKept(operation, response)
    }
  }
})

test('a chunked body without a byte is empty as well, and on POST /generate it is the missing JSON object', async () => {
  const cancel = `/generations/${(await context.generate()).id}/cancel`
  const head = (path: string, type: string) =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\ncontent-type: ${type}\r\n\r\n`
  for (const type of ['application/octet-stream', 'application/json', 'nonsense']) {
    assert.equal((await sendRaw(context.app, head(cancel, type), '0\r\n\r\n')).statusCode, 200, type)
    const problem = problemOf(await sendRaw(context.app, head('/generate', type), '0\r\n\r\n'), 'invalid_request')
    assert.match(problem.detail, /needs a JSON object/)
    const refused = await sendRaw(context.app, head(cancel, type), '3\r\na=b\r\n0\r\n\r\n')
    assert.equal(refused.statusCode, type === 'application/json' ? 400 : 415, type)
  }
})

test('a body that is not empty has to be JSON, whatever the operation makes of it', async () => {
  for (const url of ['/generate', `/generations/gen_${'a'.repeat(26)}/cancel`]) {
    for (const type of TYPES.filter((candidate) => candidate !== 'application/json')) {
      const response = await context.app.inject({
        method: 'POST',
        url,
        headers: type === undefined ? {} : { 'content-type': type },
        payload: 'a=b'
      })
      problemOf(response, 'unsupported_media_type')
      assertKept(cancelGeneration, response)
    }
  }
  problemOf(await send('x'.repeat(200_000), { 'content-type': 'image/png' }), 'unsupported_media_type')
  problemOf(await context.app.inject({ method: 'POST', url: '/generate' }), 'invalid_request')
  for (const payload of ['', ' \n', 'null', '[]', '5'])
    assert.deepEqual(pointersOf(problemOf(await send(payload), 'invalid_request')), [''])
})

test('bytes that are not UTF-8 are refused, and the encoding named', async () => {
  const label = (...bytes: number[]) => Buffer.concat([Buffer.from('{"label":"'), Buffer.from(bytes), Buffer.from('"}')])
  const damaged = {
    'ISO 8859-1': label(0x63, 0x61, 0x66, 0xe9),
    'an overlong slash': label(0xc0, 0xaf),
    'half of a surrogate pair': label(0xed, 0xa0, 0x80),
    'beyond Unicode': label(0xf4, 0x90, 0x80, 0x80),
    'a character that is cut off': label(0xe2, 0x82),
    'UTF-16': Buffer.from(`\ufeff${SEED}`, 'utf16le')
  }
  for (const [name, bytes] of Object.entries(damaged)) {
    assert.match(problemOf(await send(bytes), 'malformed_json').detail, /not UTF-8/, name)
  }
  const response = await send(label(0x63, 0x61, 0x66, 0xc3, 0xa9))
  assert.equal(bodyOf<Generation>(response).label, 'café')
})

test('UTF-8 goes by all its names, and another charset is refused by its name', async () => {
  for (const charset of ['utf-8', 'UTF-8', 'utf8', '"utf-8"', '"UTF8"'])
    assert.equal((await send(SEED, { 'content-type': `application/json; charset=${charset}` })).statusCode, 202, charset)
  for (const charset of ['iso-8859-1', 'utf-16', '"UTF-16LE"', 'us-ascii', 'x'.repeat(5000)]) {
    const problem = problemOf(
      await send(SEED, { 'content-type': `application/json;charset=${charset}` }),
      'unsupported_media_type'
    )
    assert.deepEqual(pointersOf(problem), ['/headers/content-type'])
    assert.ok(problem.detail.includes(charset.replaceAll('"', '').slice(0, 40)) && problem.detail.length < 120, problem.detail)
  }
})

test('a byte order mark is taken', async () => {
  assert.equal((await send(Buffer.from(`\ufeff${SEED}`))).statusCode, 202)
})

test('a compressed body is refused by its encoding, with the one that is taken, and none of its bytes come back', async () => {
  const compressed = {
    gzip: gzipSync(SEED),
    br: brotliCompressSync(SEED),
    deflate: deflateSync(SEED),
    zstd: zstdCompressSync(SEED),
    'x-foo': Buffer.from(SEED),
    'gzip, identity': gzipSync(SEED)
  }
  for (const [encoding, payload] of Object.entries(compressed)) {
    const response = await send(payload, { 'content-encoding': encoding })
    const problem = problemOf(response, 'unsupported_media_type')
    assert.equal(response.headers['accept-encoding'], 'identity')
    assert.ok(problem.detail.includes(encoding), problem.detail)
    assert.match(response.body, /^[\x20-\x7e]*$/)
  }
  for (const encoding of ['identity', 'Identity', 'identity, identity', ''])
    assert.equal((await send(SEED, { 'content-encoding': encoding })).statusCode, 202, encoding)
})

test('what a refusal shows of a body has no control characters in it', async () => {
  const bodies = [
    '\u0000',
    '{"a":\u001b[31m}',
    '{"\\u001b]0;x\\u0007":1}',
    '{"\u202e\u2028\\ud800":1}',
    '<\u007f\u0085>',
    '{"metadata":{"\\u0007":1}}'
  ]
  for (const payload of bodies) {
    const { detail, errors } = bodyOf<{ detail: string; errors: { detail: string }[] }>(await send(payload))
    for (const text of [detail, ...errors.map((error) => error.detail)])
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, text)
  }
})

test('a body that is deeper than any request is refused at the field that is, however deep', async () => {
  const nested = (open: string, close: string, levels: number) =>
    `{"metadata":{"a":${open.repeat(levels)}0${close.repeat(levels)}}}`
  for (const levels of [40, 5000, 10_000]) {
    for (const payload of [nested('[', ']', levels), nested('{"a":', '}', levels), '['.repeat(levels) + ']'.repeat(levels)]) {
      const problem = problemOf(await send(payload), 'invalid_request')
      assert.match(problem.detail, /Nested in more than 32/)
      assert.match(problem.errors[0]?.pointer ?? '', /^(?:\/metadata|\/0)/)
    }
  }
  // Two of them are compared where entries must not repeat.
  const twice = `${'['.repeat(5000)}${']'.repeat(5000)}`
  problemOf(await send(`{"previews":[${twice},${twice}]}`), 'invalid_request')
  // What is not as deep is refused for what it is.
  assert.match(problemOf(await send(nested('[', ']', 10)), 'invalid_request').detail, /\/metadata\/a: Must be a string/)
})

test('a prototype is refused wherever it lies, and however it is spelt', async () => {
  for (const [hiding, pointer] of [
    ['{"__proto__":{"seed":1}}', '/__proto__'],
    ['{"metadata":{"__proto__":{"x":1}}}', '/metadata/__proto__'],
    ['{"metadata":{"a":"b"},"a/b":[0,{"__pr\\u006fto__":"x"}]}', '/a~1b/1/__proto__']
  ] as const)
    assert.deepEqual(pointersOf(problemOf(await send(hiding), 'invalid_request')), [pointer])
})

test('broken JSON says where', async () => {
  assert.match(problemOf(await send('{"a":'), 'malformed_json').detail, /end of JSON input/)
})
