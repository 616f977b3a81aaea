import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  GENERATION_EVENTS,
  type Generation,
  getGenerationEvents,
  type GenerationEventName,
  pictureKey,
  previewKey
} from '@nextscale/openapi'
import { parserOf } from '../../contract/parser.ts'
import { assertKept } from '../../testing/contract.ts'
import { ableCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, type RunnerJob, type TestApp } from '../../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

interface Heard {
  id: string
  event: GenerationEventName
  data: Record<string, unknown>
}

let context: TestApp
let base: string
/** What the runner of this file does with a job, by its label. */
const behaviours: Record<string, (job: RunnerJob) => Promise<unknown>> = {}

const EVENT_DEADLINE_MS = 20_000
const CARD = ableCard()
before(async () => {
  context = await openTestApp({ HEARTBEAT_MS: '50', MAX_STREAMS: '3' }, [CARD])
  base = await context.app.listen({ port: 0, host: '127.0.0.1' })
  await context.runner(async (job) => behaviours[job.data.label ?? '']?.(job))
})
after(() => context.close())

const open = async (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> => {
  const request = get(url, { headers, method, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

const toHeard = (block: string): Heard | undefined => {
  const [, id = '', event = '', data = '{}'] = /^id: (.+)\nevent: (.+)\ndata: (.+)$/.exec(block) ?? []
  return id === '' ? undefined : { id, event: event as GenerationEventName, data: JSON.parse(data) as Record<string, unknown> }
}

/** Events as they come, until the stream ends. Each is held against the contract. */
async function* listen(response: IncomingMessage): AsyncGenerator<Heard> {
  let rest = ''
  for await (const chunk of response) {
    const blocks = (rest + String(chunk)).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const heard of blocks.map(toHeard)) {
      if (heard === undefined) continue
      assert.ok(parserOf(GENERATION_EVENTS[heard.event])(heard.data), JSON.stringify(heard))
      yield heard
    }
  }
}

const eventsUrl = (id: string) => `${base}/v1/generations/${id}/events`
const all = async (response: IncomingMessage): Promise<Heard[]> => {
  const heard: Heard[] = []
  for await (const event of listen(response)) heard.push(event)
  return heard
}
/** Scales of the previews a snapshot shows. */
const shownIn = (snapshot: Heard | undefined) => {
  assert.equal(snapshot?.event, 'snapshot')
  return (snapshot.data['previews'] as { scale: number }[]).map(({ scale }) => scale)
}
const names = (heard: readonly Heard[]) => heard.map(({ event }) => event)

const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 2 }
const succeed = (job: RunnerJob) => ({
  outcome: 'succeeded',
  metrics: METRICS,
  outputs: [
    {
      index: 0,
      seed: 7,
      key: pictureKey(job.id ?? '', 0, 'png'),
      content_type: 'image/png',
      width: 8,
      height: 8,
      bytes: 9,
      sha256: 'a'.repeat(64)
    }
  ]
})
const previewOf = ({ id }: RunnerJob, scale: number) => ({
  index: 0,
  scale,
  key: previewKey(id ?? '', 0, scale),
  content_type: 'image/webp',
  width: 8,
  height: 8,
  bytes: 9
})
const report = (job: RunnerJob, tokens: number, scales: number[]) =>
  job.updateProgress({
    stage: 'sampling',
    run: job.attemptsStarted,
    progress: { scale: 0, scales: 3, tokens, tokens_total: 21 },
    previews: scales.map((scale) => previewOf(job, scale))
  })

const gate = () => {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  return { released, release }
}

/** A job that shows its first preview, waits for the gate, shows the second and succeeds. */
const halting = (label: string) => {
  const halt = gate()
  behaviours[label] = async (job) => {
    await report(job, 1, [0])
    await halt.released
    await report(job, 5, [0, 1])
    return succeed(job)
  }
  return halt
}

const untilEvent = async (events: AsyncGenerator<Heard>, name: GenerationEventName): Promise<Heard> => {
  const late = AbortSignal.timeout(EVENT_DEADLINE_MS)
  const isLate = once(late, 'abort').then(() => Promise.reject(new Error(`no ${name} within ${EVENT_DEADLINE_MS} ms`)))
  isLate.catch(() => undefined)
  for (let next = events.next(); ; next = events.next()) {
    const { value } = (await Promise.race([next, isLate])) as { value: Heard | undefined }
    assert.ok(value, `the stream ended before ${name}`)
    if (value.event === name) return value
  }
}

test('a stream begins with a snapshot, tells what happens, and ends with the resource', async () => {
  const halt = halting('whole')
  const { id } = await context.generate({ label: 'whole', previews: [0, 1] })
  const response = await open(eventsUrl(id))
  assert.equal(response.headers['content-type'], 'text/event-stream')
  assert.equal(response.headers['cache-control'], 'no-store, no-transform')
  assert.ok(response.headers['x-request-id'])
  halt.release()
  const heard = await all(response)
  const previews = heard.filter(({ event }) => event === 'preview').length + shownIn(heard[0]).length
  assert.equal(previews, 2)
  assert.deepEqual(names(heard).slice(-3), ['status', 'output', 'end'])
  assert.equal(heard.at(-1)?.data['status'], 'succeeded')
})

test('after Last-Event-ID comes what lay behind it; after `end` nothing, and no reason to connect again', async () => {
  const halt = halting('resumed')
  const { id } = await context.generate({ label: 'resumed', previews: [0, 1] })
  const first = await open(eventsUrl(id))
  const events = listen(first)
  const snapshot = await untilEvent(events, 'snapshot')
  const seen = (snapshot.data['previews'] as unknown[]).length === 1 ? snapshot : await untilEvent(events, 'preview')
  first.destroy()
  halt.release()
  const rest = await all(await open(eventsUrl(id), { 'last-event-id': seen.id }))
  assert.deepEqual(
    rest.filter(({ event }) => event === 'preview').map(({ data }) => data['scale']),
    [1]
  )
  assert.equal(names(rest).includes('snapshot'), false)
  assert.deepEqual(names(rest).slice(-3), ['status', 'output', 'end'])
  const response = await context.app.inject({
    url: `/generations/${id}/events`,
    headers: { 'last-event-id': rest.at(-1)?.id ?? '' }
  })
  assert.equal(response.statusCode, 204)
  assertKept(getGenerationEvents, response)
  for (const garbage of ['nonsense', seen.id.replace(/^.{8}/, 'aaaaaaaa'), 'x'.repeat(10_000), `${seen.id}${'0'.repeat(5000)}`]) {
    const anew = await all(await open(eventsUrl(id), { 'last-event-id': garbage }))
    assert.deepEqual(names(anew), ['snapshot', 'end'])
  }
})

test('the id may come in the query, as polyfills send it; the header wins', async () => {
  behaviours['polyfilled'] = async (job) => succeed(job)
  const { id, urls } = await context.generate({ label: 'polyfilled' })
  const heard = await all(await open(eventsUrl(id)))
  const [snapshot, end] = [heard[0]?.id ?? '', heard.at(-1)?.id ?? '']
  const ask = (query: string, headers = {}) => context.app.inject({ url: `/generations/${id}/events?${query}`, headers })
  const token = new URL(urls.events).searchParams.get('token')
  for (const query of [
    `lastEventId=${end}`,
    `last_event_id=${end}`,
    `token=${token}&lastEventId=${end}`,
    `lastEventId=&lastEventId=${end}`
  ])
    assert.equal((await ask(query)).statusCode, 204, query)
  for (const query of ['lastEventId=nonsense', `last_event_id=${'x'.repeat(5000)}`, 'lastEventId'])
    assert.deepEqual(names(await all(await open(`${eventsUrl(id)}?${query}`))), ['snapshot', 'end'], query)
  assert.equal((await ask(`lastEventId=${snapshot}`, { 'last-event-id': end })).statusCode, 204)
  const response = await ask(`lastEventId=${end}&foo=1`)
  assert.equal(response.statusCode, 400)
  assertKept(getGenerationEvents, response)
})

test('a retry shows as another run, whose previews are not sent again', async () => {
  behaviours['retried'] = async (job) => {
    await report(job, 3, job.attemptsStarted === 1 ? [0] : [0, 1])
    if (job.attemptsStarted === 1) throw new Error('once')
    return succeed(job)
  }
  const { id } = await context.generate({ label: 'retried', previews: [0, 1] })
  const heard = await all(await open(eventsUrl(id)))
  const [snapshot] = heard
  const scales = heard.filter(({ event }) => event === 'preview').map(({ data }) => data['scale'])
  assert.deepEqual([...shownIn(snapshot), ...scales], [0, 1])
  assert.equal(heard.at(-1)?.data['attempt'], 2)
})

test('one that is canceled while it waits ends at once', async () => {
  await context.queue.pause()
  const { id } = await context.generate({ label: 'canceled' })
  const response = await open(eventsUrl(id))
  const events = listen(response)
  await untilEvent(events, 'snapshot')
  await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  assert.equal((await untilEvent(events, 'end')).data['status'], 'canceled')
  assert.equal((await events.next()).done, true)
  await context.queue.resume()
})

test('the events of one that was deleted are gone with it', async () => {
  behaviours['deleted'] = async (job) => succeed(job)
  const { id } = await context.generate({ label: 'deleted' })
  await all(await open(eventsUrl(id)))
  await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })
  const response = await context.app.inject(`/generations/${id}/events`)
  assert.equal(response.statusCode, 410)
  assertKept(getGenerationEvents, response)
})

test('the link in `urls.events` opens its stream; a changed token says where to find a new one', async () => {
  behaviours['token'] = async (job) => succeed(job)
  const { id, urls } = await context.generate({ label: 'token' })
  const link = new URL(urls.events)
  assert.ok(link.searchParams.get('token'))
  const response = await open(`${base}${link.pathname}${link.search}`)
  assert.equal(response.headers['access-control-allow-origin'], '*')
  assert.equal((await all(response)).at(-1)?.event, 'end')
  const other = bodyOf<Generation>(await context.app.inject(`/generations/${(await context.generate()).id}`)).urls.events
  for (const token of ['nonsense', new URL(other).searchParams.get('token')]) {
    const response = await context.app.inject(`/generations/${id}/events?token=${token}`)
    assert.equal(response.statusCode, 401)
    assertKept(getGenerationEvents, response)
    assert.match(response.body, /urls\.events/)
  }
})

test('without the token no page of another origin may read a stream, whoever is let in', async () => {
  const { id } = await context.generate({ label: 'nobody' })
  const head = await open(eventsUrl(id), { origin: 'https://elsewhere.example' }, 'HEAD')
  assert.deepEqual([head.statusCode, head.headers['access-control-allow-origin']], [200, undefined])
})

test('a snapshot of one that waits estimates when it is done, as every read does', async () => {
  const announced_at = new Date().toISOString()
  const models = [{ id: CARD.id, image_ms: 1000, latency_ms: 20_000 }]
  const card = { id: 'r', version: '1', started_at: announced_at, announced_at, max_batch: 1, models }
  await context.queue.pause()
  await context.redis.hset(context.keys.runners, 'r', JSON.stringify(card))
  const { id } = await context.generate({ label: 'nobody' })
  await until('an estimate', async () => {
    return bodyOf<Generation>(await context.app.inject(`/generations/${id}`)).queue?.eta_ms !== null
  })
  const response = await open(eventsUrl(id))
  const snapshot = await untilEvent(listen(response), 'snapshot')
  response.destroy()
  const queue = snapshot.data['queue'] as Generation['queue']
  assert.equal(queue?.eta_ms, (queue?.position ?? 0) * 1000 + 20_000)
  await context.redis.del(context.keys.runners)
  await context.queue.resume()
})

test('HEAD is answered at once, and an id that was never issued is a 404', async () => {
  const { id } = await context.generate({ label: 'nobody' })
  const head = await open(eventsUrl(id), {}, 'HEAD')
  assert.deepEqual([head.statusCode, head.headers['content-type']], [200, 'text/event-stream'])
  const unknown = await context.app.inject(`/generations/gen_${'a'.repeat(26)}/events`)
  assert.equal(unknown.statusCode, 404)
  assertKept(getGenerationEvents, unknown)
})

const untilHeartbeats = async (response: IncomingMessage, count: number) => {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.split('\n').filter((line) => line === ':').length >= count) return
  }
  assert.fail('the stream ended')
}

test('an idle stream has heartbeats; beyond the limit no stream is opened, and a closed one makes room', async (t: TestContext) => {
  await context.queue.pause()
  const { id } = await context.generate({ label: 'idle' })
  const streams = await Promise.all([1, 2, 3].map(() => open(eventsUrl(id))))
  t.after(() => streams.forEach((stream) => stream.destroy()))
  const refused = await context.app.inject(`/generations/${id}/events`)
  assert.equal(refused.statusCode, 429)
  assertKept(getGenerationEvents, refused)
  streams[0]?.destroy()
  await until('there is room', async () => {
    const next = await open(eventsUrl(id))
    if (next.statusCode !== 200) {
      next.resume()
      return false
    }
    await untilHeartbeats(next, 2)
    next.destroy()
    return true
  })
  await context.queue.resume()
})

test('a server that closes ends its streams with a hint when to come back, also one whose client reads nothing', async () => {
  const server = await openTestApp({}, [CARD])
  const address = new URL(await server.app.listen({ port: 0, host: '127.0.0.1' }))
  const { id } = await server.generate()
  const deaf = connect(Number(address.port), '127.0.0.1')
  deaf.write(`GET /v1/generations/${id}/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
  deaf.pause()
  const response = await open(`${address.origin}/v1/generations/${id}/events`)
  let text = ''
  response.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await sleep(50)
  await Promise.all([server.close(), once(response, 'end')])
  assert.match(text, /retry: \d+\n\n$/)
  deaf.destroy()
})

test('while Redis is away an open stream stays, and goes on when it is back; a new one is a 503', async () => {
  const server = await openTestApp({ HEARTBEAT_MS: '50' }, [CARD])
  try {
    const address = await server.app.listen({ port: 0, host: '127.0.0.1' })
    const { id } = await server.generate()
    const response = await open(`${address}/v1/generations/${id}/events`)
    server.server.freeze()
    const refused = await server.app.inject(`/generations/${id}/events`)
    assert.equal(refused.statusCode, 503)
    assertKept(getGenerationEvents, refused)
    server.server.thaw()
    const events = listen(response)
    await untilEvent(events, 'snapshot')
    const cancel = () => server.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
    await until('it is canceled', async () => (await cancel()).statusCode === 200)
    assert.equal((await untilEvent(events, 'end')).data['status'], 'canceled')
  } finally {
    server.server.thaw()
    await server.close()
  }
})
