import type { Generation } from '@nextscale/openapi'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Redis } from 'ioredis'
import { attributeOf, type CollectedSpan, type Collector, startCollector } from './support/collector.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { freePort } from './support/free-port.ts'
import { until } from './support/until.ts'

/** Kinds of spans as OTLP numbers them. */
const SERVER = 2
const PRODUCER = 4
const CONSUMER = 5
const ERROR = 2

/** Prints which packages of OpenTelemetry a process loads. */
const WATCH_PACKAGES = `--import=data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module'
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier.startsWith('@opentelemetry/')) process.stderr.write('loads ' + specifier + '\\n')
    return next(specifier, context)
  }
})`)}`
/** All but the one that the library of the metrics loads for itself. */
const LOADS = /loads @opentelemetry\/(?!api$)/m

interface Caller {
  traceId: string
  spanId: string
  headers: { traceparent: string; 'idempotency-key'?: string }
}

const caller = (key?: string, flags = '01'): Caller => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  const traceparent = `00-${traceId}-${spanId}-${flags}`
  return { traceId, spanId, headers: { traceparent, ...(key !== undefined && { 'idempotency-key': key }) } }
}

const post = async ({ client }: Deployment, { headers }: Caller, body: object = {}): Promise<Generation> => {
  const answer = await client.send('post', '/generate', (request) => request.set(headers).send(body))
  assert.ok(answer.status < 300, answer.text)
  return answer.body as Generation
}

const closing = async (service: Deployment, collector?: Collector) => {
  await service.close()
  await collector?.close()
}

/** Ends both processes, which deliver what they have before. */
const endAll = async (service: Deployment) => {
  await service.runner().end()
  await service.api().end()
}

const only = (spans: readonly CollectedSpan[], what: (span: CollectedSpan) => boolean): CollectedSpan => {
  const found = spans.filter(what)
  assert.equal(found.length, 1, JSON.stringify(spans.map(({ name, kind }) => ({ name, kind }))))
  return found[0] ?? assert.fail()
}

const assertWhole = (spans: readonly CollectedSpan[], { spanId }: Caller, generation: string) => {
  const server = only(spans, ({ name }) => name === 'createGeneration')
  assert.deepEqual([server.kind, server.parentSpanId, server.service], [SERVER, spanId, 'nextscale-api'])
  assert.equal(attributeOf(server, 'http.request.method'), 'POST')
  assert.equal(attributeOf(server, 'http.route'), '/generate')
  assert.equal(attributeOf(server, 'http.response.status_code'), 202)
  assert.match(String(attributeOf(server, 'nextscale.request.id')), /^req_/)
  const producer = only(spans, ({ kind }) => kind === PRODUCER)
  assert.deepEqual([producer.parentSpanId, attributeOf(producer, 'messaging.message.id')], [server.spanId, generation])
  const attempt = only(spans, ({ kind }) => kind === CONSUMER)
  assert.deepEqual([attempt.parentSpanId, attempt.service], [producer.spanId, 'nextscale-runner'])
  const told = ['generation.id', 'model', 'num_images', 'attempt', 'outcome'].map((name) =>
    attributeOf(attempt, `nextscale.${name}`)
  )
  assert.deepEqual(told, [generation, 'emoji-32', 1, 1, 'succeeded'])
  const children = spans.filter(({ parentSpanId }) => parentSpanId === attempt.spanId)
  assert.deepEqual(
    children.map(({ name }) => name),
    ['batching', 'sampling', 'decoding', 'encoding', 'uploading']
  )
  children.forEach(({ startTimeUnixNano }, i) =>
    assert.equal(startTimeUnixNano, children[i - 1]?.endTimeUnixNano ?? attempt.startTimeUnixNano)
  )
  assert.equal(children.at(-1)?.endTimeUnixNano, attempt.endTimeUnixNano)
  assert.equal(children[1]?.events.length, 7)
}

test('a caller’s trace leads from its request through the queue to sampling, also within one batch', async () => {
  const collector = await startCollector()
  const service = await deploy({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, BATCH_WINDOW_MS: '1000', NODE_OPTIONS: WATCH_PACKAGES }
  })
  after(() => closing(service, collector))
  await service.runner().end()
  const callers = [...Array.from({ length: 5 }, () => caller()), caller('private-key')]
  const body = { metadata: { note: 'private-value' }, label: 'private-label' }
  const posted = await Promise.all(callers.map((by) => post(service, by, body)))
  const leaving = new AbortController()
  const watched = posted[0] ?? assert.fail()
  // Its headers are there, so the request is: the client goes away in the middle of it.
  await fetch(`${service.baseUrl}/generations/${watched.id}/events`, { signal: leaving.signal })
  leaving.abort()
  await service.startRunner()
  const made = await Promise.all(posted.map(({ id }) => service.client.finish(id)))
  const replay = caller('private-key')
  assert.equal((await post(service, replay, body)).id, posted[5]?.id)
  const unsampled = caller(undefined, '00')
  await service.client.finish((await post(service, unsampled)).id)
  await service.client.send('get', `/v1/generations/${watched.id}?wait=private-wait`)
  await endAll(service)
  assert.ok(made.filter(({ metrics }) => (metrics?.batch_size ?? 0) > 1).length > 1, 'no two shared a batch')

  const spans = collector.spans()
  const of = ({ traceId }: Caller) => spans.filter((span) => span.traceId === traceId)
  callers.forEach((by, i) => assertWhole(of(by), by, posted[i]?.id ?? ''))
  // What a key made before stays in the trace that made it.
  assert.deepEqual(
    of(replay).map(({ name }) => name),
    ['createGeneration']
  )
  assert.deepEqual(of(unsampled), [])
  assert.ok(spans.some(({ name, parentSpanId }) => name === 'getGeneration' && parentSpanId === undefined))
  const left = only(spans, ({ name }) => name === 'getGenerationEvents')
  assert.ok(left.attributes.some(({ key }) => key === 'nextscale.aborted') && left.status.code !== ERROR)
  assert.ok(!spans.some(({ name }) => name === 'getHealth' || name === 'getReadiness'))
  assert.doesNotMatch(collector.text(), /private/)
  assert.match(service.api().output(), LOADS)
  assert.match(service.runner().output(), LOADS)
})

test('an attempt that fails is an error with its code, and the next one is in the same trace', async () => {
  const collector = await startCollector()
  const service = await deploy({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
  after(() => closing(service, collector))
  const by = caller()
  await service.runner().end()
  const { id } = await post(service, by)
  // Where the folder should be, so that nothing can be stored.
  const place = join(service.objects, 'generations')
  await rm(place, { recursive: true, force: true })
  await writeFile(place, 'in the way')
  await service.startRunner()
  await until('an attempt failed', async () => service.runner().output().includes('attempt failed'))
  await rm(place)
  await service.client.finish(id)
  await endAll(service)
  const attempts = collector.spans().filter(({ kind, traceId }) => kind === CONSUMER && traceId === by.traceId)
  const failed = attempts[0] ?? assert.fail()
  assert.equal(failed.status.code, ERROR)
  assert.equal(attributeOf(failed, 'nextscale.outcome'), 'retried')
  assert.equal(attributeOf(failed, 'error.type'), 'object_store_unavailable')
  assert.deepEqual(
    attempts.map((span) => attributeOf(span, 'nextscale.attempt')),
    attempts.map((_, i) => i + 1)
  )
  const last = attempts.at(-1)
  assert.ok(last && attributeOf(last, 'nextscale.outcome') === 'succeeded' && last.status.code !== ERROR)
})

for (const state of ['away', 'silent'] as const) {
  test(`with a collector that is ${state} everything else works and ends, and each process says so once`, async () => {
    const collector = state === 'silent' ? await startCollector({ isSilent: true }) : undefined
    const url = collector?.url ?? `http://127.0.0.1:${await freePort()}`
    const service = await deploy({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } })
    after(() => closing(service, collector))
    const complaints = (output: string) => output.match(/traces cannot be exported/gi)?.length ?? 0
    for (let round = 0; round < 3; round++) {
      const { id } = await post(service, caller())
      assert.equal((await service.client.finish(id)).status, 'succeeded')
      for (const process of [service.api(), service.runner()])
        await until('the failure is told', async () => complaints(process.output()) > 0)
    }
    await endAll(service)
    for (const process of [service.api(), service.runner()]) assert.equal(complaints(process.output()), 1, process.output())
  })
}

test('a collector that comes back is told once, and has the spans from then on', async () => {
  const port = await freePort()
  const service = await deploy({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } })
  after(() => closing(service))
  const tell = (what: string) =>
    Promise.all([service.api(), service.runner()].map((one) => until(what, async () => one.output().includes(what))))
  await service.client.finish((await post(service, caller())).id)
  await tell('cannot be exported')
  const collector = await startCollector({ port })
  after(() => collector.close())
  const by = caller()
  await service.client.finish((await post(service, by)).id)
  await tell('are exported again')
  await endAll(service)
  const kinds = collector.spans().filter(({ traceId }) => traceId === by.traceId)
  assert.deepEqual(
    [SERVER, PRODUCER, CONSUMER].filter((kind) => !kinds.some((span) => span.kind === kind)),
    []
  )
})

test('without a collector no package is loaded, and nothing of a trace is kept with the job', async () => {
  const service = await deploy({ env: { NODE_OPTIONS: WATCH_PACKAGES } })
  after(() => closing(service))
  const { id } = await post(service, caller())
  assert.equal((await service.client.finish(id)).status, 'succeeded')
  const redis = new Redis(service.redis.url)
  const [key] = await redis.keys(`*generate-image:${id}`)
  const opts = JSON.parse((await redis.hget(key ?? '', 'opts')) ?? '') as object
  redis.disconnect()
  assert.ok(!('tm' in opts) && !('telemetry' in opts))
  await endAll(service)
  for (const process of [service.api(), service.runner()]) assert.doesNotMatch(process.output(), LOADS)
})
