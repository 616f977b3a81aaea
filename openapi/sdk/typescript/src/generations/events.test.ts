import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Nextscale } from '../client.ts'
import { GenerationFailed, TimeoutError } from '../errors.ts'
import type { GenerationEvent } from '../generated/contract.ts'
import { end, generation, ID, json, output, preview, problem, progress, snapshot, stream } from '../testing/answers.ts'
import { type Answer, startStandIn } from '../testing/stand-in.ts'
import { parseEvents } from './parse-events.ts'

const collect = async (sent: AsyncIterable<GenerationEvent>): Promise<string[]> => {
  const names: string[] = []
  for await (const { id, event } of sent) names.push(`${id} ${event}`)
  return names
}

const parse = async (...chunks: (string | Uint8Array)[]) => {
  const encoder = new TextEncoder()
  const parts = chunks.map((chunk) => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk))
  const found = []
  for await (const event of parseEvents(ReadableStream.from(parts) as ReadableStream<Uint8Array>)) found.push(event)
  return found
}

describe('an event stream', () => {
  const event = { id: '1', event: 'a', data: 'x\ny' }
  it('is read whatever its line ends, comments and breaks', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = [':hi', 'id: 1', 'event: a', 'retry: 5', 'data: x', 'data:y', '', ''].join(end)
      assert.deepEqual(await parse(text), [event])
      assert.deepEqual(await parse(...text.split('')), [event])
    }
  })
  it('is read when a character is torn', async () => {
    const bytes = new TextEncoder().encode('data: ü\n\n')
    assert.equal((await parse(bytes.slice(0, 7), bytes.slice(7)))[0]?.data, 'ü')
  })
  it('holds no event before its empty line', async () => assert.deepEqual(await parse('data: x\n'), []))
})

describe('events', () => {
  it('end with the generation', async () => {
    await using server = await startStandIn(stream([snapshot(), progress(1), end()]))
    const sent = new Nextscale({ baseUrl: server.url }).events(ID)
    assert.deepEqual(await collect(sent), ['e0 snapshot', 'e1 progress', 'e9 end'])
    assert.deepEqual([server.seen[0]?.url, server.seen[0]?.headers['last-event-id']], [`/v1/generations/${ID}/events`, undefined])
    assert.equal(server.seen[0]?.headers.accept, 'text/event-stream')
  })

  it('go on after breaks and polite ends, each event once', async () => {
    await using server = await startStandIn(
      stream([snapshot(), progress(1)], { broken: true }),
      stream([progress(1), progress(2)]),
      problem(503, 'queue_unavailable', { retryable: true }),
      stream([progress(3), end()])
    )
    const sent = new Nextscale({ baseUrl: server.url }).events(ID)
    assert.deepEqual(await collect(sent), ['e0 snapshot', 'e1 progress', 'e2 progress', 'e3 progress', 'e9 end'])
    assert.deepEqual(
      server.seen.map(({ headers }) => headers['last-event-id']),
      [undefined, 'e1', 'e2', 'e2']
    )
  })

  it('tell of the previews and outputs that the snapshot holds, coarse to fine', async () => {
    const held = { previews: [preview(5, 1), preview(2), preview(5), preview(2, 1)], outputs: [output(0), output(1)] }
    await using server = await startStandIn(stream([snapshot('e0', held), end()]))
    const heard: [string, string, string][] = []
    for await (const { id, event, data } of new Nextscale({ baseUrl: server.url }).events(ID))
      if (event === 'preview' || event === 'output') heard.push([id, event, data.url])
    const previews = ['0-2.webp', '1-2.webp', '0-5.webp', '1-5.webp'].map((name) => ['e0', 'preview', `http://x/${name}`])
    const outputs = ['0.png', '1.png'].map((name) => ['e0', 'output', `http://x/${name}`])
    assert.deepEqual(heard, [...previews, ...outputs])
  })

  it('tell of each preview and output once, whatever the connections begin with', async () => {
    const told = (id: string, data: ReturnType<typeof preview>): GenerationEvent => ({ id, event: 'preview', data })
    const stored: GenerationEvent = { id: 'e8', event: 'output', data: output(0) }
    await using server = await startStandIn(
      stream([snapshot('e0', { previews: [preview(2)] }), told('e1', preview(3))], { broken: true }),
      stream([told('e2', preview(2)), told('e3', preview(4))], { broken: true }),
      stream([snapshot('e4', { previews: [4, 3, 2, 5].map((scale) => preview(scale)) }), stored], { broken: true }),
      stream([snapshot('e7', { outputs: [output(0), output(1)] }), end()])
    )
    const heard: string[] = []
    for await (const { event, data } of new Nextscale({ baseUrl: server.url }).events(ID))
      if (event === 'preview' || event === 'output') heard.push(data.url.slice('http://x/'.length))
    assert.deepEqual(heard, ['0-2.webp', '0-3.webp', '0-4.webp', '0-5.webp', '0.png', '1.png'])
    assert.deepEqual(
      server.seen.map(({ headers }) => headers['last-event-id']),
      [undefined, 'e1', 'e3', 'e8']
    )
  })

  it('begin after the event the caller names', async () => {
    await using server = await startStandIn(stream([progress(5), end()]))
    await collect(new Nextscale({ baseUrl: server.url }).events(ID, { lastEventId: 'e4' }))
    assert.equal(server.seen[0]?.headers['last-event-id'], 'e4')
  })

  it('are none after the end', async () => {
    await using server = await startStandIn((response) => response.writeHead(204).end())
    assert.deepEqual(await collect(new Nextscale({ baseUrl: server.url }).events(ID, { lastEventId: 'e9' })), [])
    assert.equal(server.seen.length, 1)
  })

  it('give up when connections bring nothing', async () => {
    await using server = await startStandIn(stream([]))
    await assert.rejects(collect(new Nextscale({ baseUrl: server.url, maxRetries: 1 }).events(ID)), { code: 'connection_failed' })
    assert.equal(server.seen.length, 2)
  })

  it('close the connection when the caller stops reading', async () => {
    const closed = Promise.withResolvers<void>()
    const open: Answer = (response) => {
      response.on('close', closed.resolve)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: 1\nevent: progress\ndata: {}\n\n')
    }
    await using server = await startStandIn(open)
    for await (const { id } of new Nextscale({ baseUrl: server.url }).events(ID)) {
      assert.equal(id, '1')
      break
    }
    await closed.promise
  })

  it('stop with the caller’s signal', async () => {
    await using server = await startStandIn((response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n')
    )
    const signal = AbortSignal.timeout(100)
    await assert.rejects(collect(new Nextscale({ baseUrl: server.url }).events(ID, { signal })), { name: 'TimeoutError' })
  })
})

const accepted = json(202, generation('queued'))

describe('generateAndWait', () => {
  it('calls back with what the snapshot holds', async () => {
    await using server = await startStandIn(accepted, stream([snapshot('e0', { previews: [preview(1)] }), end()]))
    const heard: string[] = []
    const onEvent = ({ event }: GenerationEvent) => void heard.push(event)
    await new Nextscale({ baseUrl: server.url }).generateAndWait({}, { onEvent })
    assert.deepEqual(heard, ['snapshot', 'preview', 'end'])
  })

  it('follows the events', async () => {
    await using server = await startStandIn(accepted, stream([snapshot(), progress(1), end()]))
    const heard: string[] = []
    const onEvent = ({ event }: GenerationEvent) => void heard.push(event)
    const { status } = await new Nextscale({ baseUrl: server.url }).generateAndWait({}, { onEvent })
    assert.deepEqual([status, heard], ['succeeded', ['snapshot', 'progress', 'end']])
  })

  const unavailable: [string, Answer][] = [
    ['the route is not there', problem(404, 'route_not_found')],
    ['something else answers', json(200, {})],
    ['too many streams are open', problem(429, 'too_many_streams', { retryable: true })]
  ]
  for (const [why, answer] of unavailable) {
    it(`polls when ${why}, and takes no wait that ran out for a result`, async () => {
      await using server = await startStandIn(
        accepted,
        answer,
        json(200, generation('running')),
        json(200, generation('succeeded'))
      )
      const client = new Nextscale({ baseUrl: server.url, maxRetries: 0 })
      assert.equal((await client.generateAndWait({})).status, 'succeeded')
      assert.deepEqual(
        server.seen.slice(2).map(({ url }) => url),
        [`/v1/generations/${ID}?wait=20`, `/v1/generations/${ID}?wait=20`]
      )
      assert.ok((server.seen[3]?.atMs ?? 0) - (server.seen[2]?.atMs ?? 0) >= 900, 'a server that does not hold answers is spared')
    })
  }

  it('throws GenerationFailed with the generation', async () => {
    const error = { code: 'sampler_failed', message: 'It broke.', retryable: true }
    await using server = await startStandIn(accepted, stream([snapshot(), end('failed', { error })]))
    await assert.rejects(new Nextscale({ baseUrl: server.url }).generateAndWait({}), (thrown) => {
      assert.ok(thrown instanceof GenerationFailed)
      assert.deepEqual([thrown.code, thrown.retryable, thrown.generation.id], ['sampler_failed', true, ID])
      return thrown.message.endsWith('failed: It broke.')
    })
  })

  for (const status of ['canceled', 'expired'] as const) {
    it(`throws GenerationFailed when it is ${status}`, async () => {
      await using server = await startStandIn(accepted, stream([end(status)]))
      await assert.rejects(new Nextscale({ baseUrl: server.url }).generateAndWait({}), { name: 'GenerationFailed', code: status })
    })
  }

  it('ends in time, and says that the generation goes on', async () => {
    await using server = await startStandIn(accepted, (response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n')
    )
    await assert.rejects(new Nextscale({ baseUrl: server.url }).generateAndWait({}, { timeoutMs: 100 }), (thrown) => {
      assert.ok(thrown instanceof TimeoutError)
      return thrown.message.includes(ID)
    })
  })

  it('passes on what onEvent throws', async () => {
    await using server = await startStandIn(accepted, stream([snapshot(), end()]))
    const onEvent = () => {
      throw new RangeError('mine')
    }
    await assert.rejects(new Nextscale({ baseUrl: server.url }).generateAndWait({}, { onEvent }), RangeError)
  })
})
