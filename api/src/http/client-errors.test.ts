import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { problemOf } from '../testing/problem-of.ts'
import { openRaw, sendRaw } from '../testing/send-raw.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

const TIMEOUT_MS = 400
/** What a check that is due, and a machine that is busy, may add. */
const SLACK_MS = 3000

let context: TestApp
before(async () => {
  context = await openTestApp({ LOG_LEVEL: 'debug' }, undefined, { requestTimeoutMs: TIMEOUT_MS })
})
after(() => context.close())

const HEAD = 'POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

const errors = () => context.logLines.filter((line) => /"level":(?:50|60)/.test(line))

/** `operation status` of each answer that was counted. */
const counted = async (): Promise<string[]> => {
  const { body } = await context.app.inject('/metrics')
  const series = body.matchAll(/^nextscale_http_request_duration_seconds_count\{operation="(\w+)",status="(\d+)"\} \d+/gm)
  return [...series].map(([, operation, status]) => `${operation} ${status}`)
}

/** Sends the beginning, then a byte now and then for as long as the connection is open; returns what came back, and when. */
const dribble = async (beginning: string) => {
  const { socket, closed } = await openRaw(context.app)
  socket.write(beginning)
  const begun = performance.now()
  const timer = setInterval(() => socket.write(' '), 50)
  const text = await closed.finally(() => clearInterval(timer))
  return { text, elapsedMs: performance.now() - begun }
}

test('a body that comes too slowly is answered 408 at the time that is allowed, and is counted as that', async () => {
  const { text, elapsedMs } = await dribble(`${HEAD}content-length: 5000\r\n\r\n{`)
  assert.match(text, /^HTTP\/1\.1 408 /)
  assert.match(text, /"code":"request_timeout"/)
  assert.match(text, /\r\nx-content-type-options: nosniff\r\n/)
  assert.match(text, /\r\nconnection: close\r\n/i)
  assert.ok(elapsedMs >= TIMEOUT_MS && elapsedMs < TIMEOUT_MS + SLACK_MS, `${elapsedMs} ms`)
  await until('the answer is counted', async () => (await counted()).includes('createGeneration 408'))
})

test('headers that come too slowly are answered 408 at that time as well', async () => {
  const { text, elapsedMs } = await dribble('GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ')
  assert.match(text, /^HTTP\/1\.1 408 [^]*"code":"request_timeout"/)
  assert.ok(elapsedMs >= TIMEOUT_MS && elapsedMs < TIMEOUT_MS + SLACK_MS, `${elapsedMs} ms`)
})

test('a body that nobody reads does not hold its connection either', async () => {
  const { text, elapsedMs } = await dribble('GET /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n\r\n')
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(text, /408/)
  assert.ok(elapsedMs < TIMEOUT_MS + SLACK_MS, `${elapsedMs} ms`)
})

test('a client that leaves in the middle of a body is no fault of ours', async () => {
  for (const leave of ['destroy', 'resetAndDestroy'] as const) {
    const seen = context.logLines.length
    const { socket, closed } = await openRaw(context.app)
    socket.write(`${HEAD}content-length: 2000\r\n\r\n{"se`)
    await sleep(50)
    socket[leave]()
    await closed.catch(() => undefined)
    await until('the server has noticed', async () => context.logLines.slice(seen).some((line) => line.includes('"/generate"')))
  }
  assert.deepEqual(errors(), [])
  assert.ok((await counted()).every((answer) => !answer.endsWith(' 500')))
  assert.ok(context.logLines.every((line) => !line.includes('ECONNRESET')))
})

test('half a request, then no more, is a problem', async () => {
  const { socket, closed } = await openRaw(context.app)
  socket.end(`${HEAD}content-length: 2000\r\n\r\n{"se`)
  assert.match(await closed, /^HTTP\/1\.1 400 [^]*The connection ended before the whole request/)
})

test('a body whose chunks are broken is a problem with the id of its request', async () => {
  const problem = problemOf(await sendRaw(context.app, `${HEAD}transfer-encoding: chunked\r\n\r\n`, 'zz\r\n'), 'invalid_request')
  assert.match(problem.detail, /not a valid HTTP/)
  assert.deepEqual(errors(), [])
})

test('what is no HTTP amid an answer puts no second answer into it', async () => {
  const { id } = await context.generate()
  const { socket, closed } = await openRaw(context.app)
  socket.write(`GET /generations/${id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await once(socket, 'data')
  socket.write('NONSENSE\r\n\r\n')
  const text = await closed
  assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1)
})

test('an answer that is being made is given, though no HTTP came after its request', async () => {
  const { socket, closed } = await openRaw(context.app)
  socket.write(`${HEAD}content-length: 2\r\n\r\n{}NONSENSE\r\n\r\n`)
  assert.deepEqual((await closed).match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 202'])
})

test('a refusal reaches a client that goes on sending, and then the connection ends whatever comes', async () => {
  const { socket, closed } = await openRaw(context.app)
  const begun = performance.now()
  const timer = setInterval(() => socket.write('x'.repeat(60_000)), 5)
  socket.write(`GET / HTTP/1.1\r\nx: ${'a'.repeat(200_000)}`)
  const text = await closed.finally(() => clearInterval(timer))
  assert.match(text, /^HTTP\/1\.1 431 /)
  assert.ok(performance.now() - begun < SLACK_MS)
})

test('a connection goes on after a refusal that came before its body was there', async () => {
  const { socket, closed } = await openRaw(context.app)
  const head = 'POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\n'
  socket.write(`${head}abcGET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  assert.deepEqual((await closed).match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 415', 'HTTP/1.1 200'])
})
