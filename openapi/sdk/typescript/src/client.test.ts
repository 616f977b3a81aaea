import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { Nextscale } from './client.ts'
import { ConnectionError, NextscaleError, TimeoutError } from './errors.ts'
import { generation, hangUp, ID, json, problem } from './testing/answers.ts'
import { type Answer, startStandIn } from './testing/stand-in.ts'

const accepted = json(202, generation('queued'), { 'retry-after': '1' })
const httpDate = (ms: number) => new Date(ms).toUTCString()

/** Another attempt came no sooner than it was allowed to; timers may be early by a millisecond. */
const assertWaited = (seen: { atMs: number }[], ms: number) => assert.ok((seen[1]?.atMs ?? 0) - (seen[0]?.atMs ?? 0) >= ms - 2)

const refusals: [name: string, answer: Answer, waitedMs: number][] = [
  ['429 with seconds', problem(429, 'rate_limited', { retryable: true, headers: { 'retry-after': '1' } }), 1000],
  [
    '429 with a date',
    (response, request) => {
      const headers = { 'retry-after': httpDate(2_000_000_002_000), date: httpDate(2_000_000_000_000) }
      problem(429, 'too_many_in_flight', { retryable: true, headers })(response, request)
    },
    2000
  ],
  ['503', problem(503, 'queue_unavailable', { retryable: true }), 250],
  ['a gateway’s page', json(502, '<html>'), 250],
  ['a connection that breaks', hangUp, 250],
  [
    'a connection that breaks inside the answer',
    (response) => {
      response.writeHead(202, { 'content-type': 'application/json', 'content-length': '500' })
      response.write('{"id":', () => response.destroy())
    },
    250
  ]
]

describe('generate', () => {
  for (const [name, answer, waitedMs] of refusals) {
    it(`is tried again after ${name}, with the same key and body`, async () => {
      await using server = await startStandIn(answer, accepted)
      const client = new Nextscale({ baseUrl: server.url })
      assert.equal((await client.generate({ seed: 7 })).id, ID)
      assert.equal(server.seen.length, 2)
      const [first, second] = server.seen
      assert.match(String(first?.headers['idempotency-key']), /^[0-9a-f]{32}$/)
      assert.equal(first?.headers['idempotency-key'], second?.headers['idempotency-key'])
      assert.deepEqual([first?.body, second?.body], ['{"seed":7}', '{"seed":7}'])
      assertWaited(server.seen, waitedMs)
    })
  }

  it('has a key of its own for each call, or the caller’s', async () => {
    await using server = await startStandIn(accepted)
    const client = new Nextscale({ baseUrl: server.url })
    await client.generate({})
    await client.generate({})
    await client.generate({}, { idempotencyKey: 'mine' })
    const keys = server.seen.map(({ headers }) => headers['idempotency-key'])
    assert.equal(new Set(keys).size, 3)
    assert.equal(keys[2], 'mine')
  })

  it('is not tried again when it would be refused again', async () => {
    await using server = await startStandIn(problem(422, 'unknown_class', { detail: 'There is "fox".' }))
    await assert.rejects(new Nextscale({ baseUrl: server.url }).generate({}), (error) => {
      assert.ok(error instanceof NextscaleError)
      const { code, status, detail, requestId, retryable, errors, message } = error
      assert.deepEqual(
        { code, status, detail, requestId, retryable, errors, message },
        {
          code: 'unknown_class',
          status: 422,
          detail: 'There is "fox".',
          requestId: 'req_1',
          retryable: false,
          errors: [{ pointer: '/seed', detail: 'x' }],
          message: 'There is "fox".'
        }
      )
      return true
    })
    assert.equal(server.seen.length, 1)
  })

  it('is tried maxRetries times again and no more', async () => {
    await using server = await startStandIn(problem(503, 'queue_full', { retryable: true }))
    await assert.rejects(new Nextscale({ baseUrl: server.url, maxRetries: 1 }).generate({}), { code: 'queue_full' })
    assert.equal(server.seen.length, 2)
  })

  it('tells of each further attempt before it waits for it', async () => {
    const refusal = problem(429, 'rate_limited', { retryable: true, headers: { 'retry-after': '1' } })
    await using server = await startStandIn(refusal, json(202, generation('queued')))
    const told: unknown[] = []
    const onRetry = ({ code }: NextscaleError, delayMs: number) => void told.push([code, delayMs, server.seen.length])
    await new Nextscale({ baseUrl: server.url, onRetry }).generate({})
    assert.deepEqual(told, [['rate_limited', 1000, 1]])
  })

  it('ends with the caller’s signal, before the next attempt', async () => {
    await using server = await startStandIn(problem(503, 'queue_full', { retryable: true, headers: { 'retry-after': '60' } }))
    const controller = new AbortController()
    const sent = new Nextscale({ baseUrl: server.url }).generate({}, { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('enough')), 100)
    await assert.rejects(sent, { message: 'enough' })
    assert.equal(server.seen.length, 1)
  })

  it('does not wait for a slow answer longer than timeoutMs', async () => {
    await using server = await startStandIn(() => undefined)
    const client = new Nextscale({ baseUrl: server.url, timeoutMs: 50, maxRetries: 0 })
    await assert.rejects(client.generate({}), (error) => error instanceof TimeoutError && error.code === 'timed_out')
  })

  it('says which server cannot be reached', async () => {
    const free = createServer().listen(0)
    const address = free.address()
    const port = typeof address === 'object' ? address?.port : 0
    await new Promise((resolve) => free.close(resolve))
    const sent = new Nextscale({ baseUrl: `http://127.0.0.1:${port}`, maxRetries: 0 }).generate({})
    await assert.rejects(sent, (error) => {
      assert.ok(error instanceof ConnectionError)
      assert.match(error.message, new RegExp(`^http://127.0.0.1:${port} cannot be reached: .*ECONNREFUSED`))
      return error.status === null && error.cause !== undefined
    })
  })
})

describe('a client', () => {
  it('sends its key to the server, whose address may end in /v1', async () => {
    await using server = await startStandIn(json(200, generation('running')))
    await new Nextscale({ baseUrl: `${server.url}/v1/`, apiKey: 'secret' }).get(ID)
    assert.deepEqual([server.seen[0]?.url, server.seen[0]?.headers.authorization], [`/v1/generations/${ID}`, 'Bearer secret'])
  })

  it('takes a key with the line end of its file, and refuses a broken one without showing it', async () => {
    await using server = await startStandIn(json(200, generation('running')))
    await new Nextscale({ baseUrl: server.url, apiKey: 'secret\n' }).get(ID)
    assert.equal(server.seen[0]?.headers.authorization, 'Bearer secret')
    for (const apiKey of ['sec\nret', 'ns_…'])
      assert.throws(
        () => new Nextscale({ baseUrl: server.url, apiKey }),
        (error) => error instanceof TypeError && /^apiKey .* no key has/.test(error.message) && !error.message.includes(apiKey)
      )
  })

  it('refuses an address that is none', () => {
    assert.throws(() => new Nextscale({ baseUrl: 'localhost:8080' }), /baseUrl is "localhost:8080"; give a whole URL/)
  })

  it('says where a key comes from when the server asks for one', async () => {
    await using server = await startStandIn(problem(401, 'unauthorized', { detail: 'This server asks for an API key.' }))
    await assert.rejects(new Nextscale({ baseUrl: server.url }).get(ID), (error) => {
      assert.ok(error instanceof NextscaleError)
      assert.equal(error.detail, 'This server asks for an API key.')
      assert.match(
        error.message,
        /^This server asks for an API key\. The key is `apiKey` or NEXTSCALE_API_KEY; .*\.nextscale\/api-key\.$/
      )
      return error.code === 'unauthorized'
    })
  })

  it('says what to write in place of arguments of another kind, and sends nothing', async () => {
    await using server = await startStandIn(accepted)
    const client = new Nextscale({ baseUrl: server.url })
    const wrong: [call: (argument: never) => unknown, argument: unknown, sentence: RegExp][] = [
      [
        (text) => client.generate(text),
        'fox',
        /^generate takes .* write generate\(\{ class_name: "fox" \}\) or generate\(\{ prompt: "fox" \}\)\.$/
      ],
      [(text) => client.generateAndWait(text), 'ice "cream', /write generateAndWait\(\{ class_name: "ice \\"cream" \}\) or /],
      [(nothing) => client.generate(nothing), undefined, /write generate\(\{ class_name: "fox" \}\) or /],
      [(list) => client.generate(list), [], /write generate/],
      [(count) => client.continue(ID, count), 3, /write continue\(id, \{ keep_scales: 3 \}\)\.$/],
      [(made) => client.get(made), generation('running'), /get\(generation\.id\), and not an object\.$/],
      [(made) => client.wait(made), generation('running'), /not an object\.$/],
      [(nothing) => client.cancel(nothing), undefined, /not undefined\.$/],
      [(nothing) => client.delete(nothing), '', /not an empty text\.$/],
      [(made) => client.events(made).next(), generation('running'), /not an object\.$/],
      [(made) => client.download(made), generation('succeeded'), /write|download\(generation\.outputs\[0\]\)\.$/],
      [(url) => client.download(url), 'http://x/0.png', /download\(generation\.outputs\[0\]\)\.$/],
      [(nothing) => client.download(nothing), undefined, /download\(generation\.outputs\[0\]\)\.$/]
    ]
    for (const [call, argument, sentence] of wrong)
      await assert.rejects(
        async () => call(argument as never),
        (error) => error instanceof TypeError && sentence.test(error.message)
      )
    assert.deepEqual(server.seen, [])
  })

  it('uses the fetch it is given', async () => {
    const client = new Nextscale({ baseUrl: 'http://x', fetch: async () => Response.json(generation('queued')) })
    assert.equal((await client.get(ID)).id, ID)
  })

  it('lists over pages', async () => {
    const page = (id: string, next_cursor: string | null) => json(200, { data: [generation('succeeded', { id })], next_cursor })
    await using server = await startStandIn(page('a', 'c1'), page('b', 'c2'), page('c', null))
    const ids: string[] = []
    for await (const { id } of new Nextscale({ baseUrl: server.url }).list({ limit: 1, status: 'succeeded' })) ids.push(id)
    assert.deepEqual(ids, ['a', 'b', 'c'])
    assert.equal(server.seen[2]?.url, '/v1/generations?limit=1&status=succeeded&cursor=c2')
  })

  it('reads all classes, page by page', async () => {
    const page = (label: number) => json(200, { data: [{ label, name: 'fox' }], total: 2 })
    await using server = await startStandIn(page(0), page(1))
    const classes = await new Nextscale({ baseUrl: server.url }).models.classes('emoji-32', 'fo')
    assert.deepEqual(
      classes.map(({ label }) => label),
      [0, 1]
    )
    assert.equal(server.seen[1]?.url, '/v1/models/emoji-32/classes?q=fo&limit=1000&offset=1')
  })
})

describe('download', () => {
  const bytes: Answer = (response) => response.writeHead(200, { 'content-type': 'image/png' }).end('picture')
  const output = (url: string) => ({ index: 0, seed: 7, url, tokens_url: null }) as never

  it('fetches a fresh link when its own has run out, and never sends the key to a link', async () => {
    let base = ''
    const fresh: Answer = (response, request) =>
      json(200, generation('succeeded', { outputs: [{ index: 0, url: `${base}/fresh` }] }))(response, request)
    await using server = await startStandIn(problem(403, 'link_invalid'), fresh, bytes)
    base = server.url
    const client = new Nextscale({ baseUrl: server.url, apiKey: 'secret' })
    const picture = await client.download(output(`${server.url}/objects/generations/${ID}/0.png?expires=1`))
    assert.equal(Buffer.from(picture).toString(), 'picture')
    assert.deepEqual(
      server.seen.map(({ url, headers }) => [url, headers.authorization]),
      [
        [`/objects/generations/${ID}/0.png?expires=1`, undefined],
        [`/v1/generations/${ID}`, 'Bearer secret'],
        ['/fresh', undefined]
      ]
    )
  })

  it('begins anew when the connection breaks inside a picture', async () => {
    const cut: Answer = (response) => {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': '7' })
      response.write('pic', () => response.destroy())
    }
    await using server = await startStandIn(cut, bytes)
    const picture = await new Nextscale({ baseUrl: server.url }).download(output(`${server.url}/x.png`))
    assert.equal(Buffer.from(picture).toString(), 'picture')
  })
})
