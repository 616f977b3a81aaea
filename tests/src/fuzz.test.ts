import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { type Client, createClient } from './support/client.ts'
import { createKey } from './support/create-key.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { eventSource, hearAll } from './support/event-source.ts'
import { type FuzzDocument, fuzzDocument, type RealParameters, statedAnswers } from './support/fuzz-document.ts'
import { fuzz } from './support/schemathesis.ts'
import { until } from './support/until.ts'

let service: Deployment
let key: string
let client: Client
before(async () => {
  service = await deploy()
  key = await createKey(service, 'admin')
  client = createClient(service.baseUrl, key)
})
after(() => service.close())

/** Operations on one generation that leave it as it is. */
const READERS = ['getGeneration', 'getGenerationEvents', 'continueGeneration']

/** For each of the operations: half of the ids in paths are drawn from these. */
const drawFrom = (ids: readonly string[], operations: readonly string[], parameters = ''): string =>
  [
    `[dictionaries.ids]\nvalues = ${JSON.stringify(ids)}`,
    ...operations.map(
      (operation) =>
        `[[operations]]\ninclude-operation-id = "${operation}"\n` +
        `parameters = { "path.id" = { dictionary = "ids", probability = 0.5 }${parameters} }`
    )
  ].join('\n\n')

const forEach = (operations: readonly string[], ids: readonly string[]): RealParameters =>
  Object.fromEntries(operations.map((operation) => [operation, ids.map((id) => ({ id }))]))

const parametersOf = (url: string) => {
  const { pathname, searchParams } = new URL(url)
  const [file = '', id = ''] = pathname.split('/').toReversed()
  return { id, file, expires: Number(searchParams.get('expires')), signature: searchParams.get('signature') ?? '' }
}

/** `operation status` of every answer that the service has given. */
const seenAnswers = async (): Promise<Set<string>> => {
  const { text } = await client.send('get', '/v1/metrics')
  const series = text.matchAll(/^nextscale_http_request_duration_seconds_count\{operation="(\w+)",status="(\d+)"\} /gm)
  return new Set([...series].map(([, operation, status]) => `${operation} ${status}`))
}

const finish = async (body: object = {}) => client.finish((await client.generate(body)).id)

/** Generations in every terminal state that a caller can bring about, as parameters that operations can be called with. */
const prepare = async (): Promise<{ ids: string[]; document: FuzzDocument }> => {
  const whole = await finish({ return_tokens: true, previews: 'auto' })
  const draft = await finish({ stop_at_scale: 3 })
  const several = await finish({ num_images: 2, output: { format: 'webp' } })
  const canceled = await client.generate({ num_images: 16 })
  await client.cancel(canceled.id)
  const erased = await finish()
  await client.send('delete', `/v1/generations/${erased.id}`)
  const ids = [whole, draft, several, canceled, erased].map(({ id }) => id)
  const { headers } = await client.send('get', `/v1/generations/${draft.id}`)
  const last = (await hearAll(eventSource(draft.urls.events))).at(-1)
  const real = forEach(READERS, ids)
  real['createGeneration'] = [{ prefer: 'wait=30' }]
  real['continueGeneration']?.push({ id: draft.id, prefer: 'wait=30' })
  real['getGeneration']?.push({ id: draft.id, 'if-none-match': headers['etag'] ?? '' })
  real['getGenerationEvents']?.push({ id: draft.id, 'last-event-id': last?.id ?? '' })
  const links = whole.outputs.flatMap(({ url, tokens_url: tokens }) => [url, tokens ?? assert.fail('no tokens')])
  const objects = [...links, ...whole.previews.map(({ url }) => url)]
  const etag = (await fetch(objects[0] ?? '')).headers.get('etag') ?? ''
  real['getObject'] = objects.map((url, index) => ({ ...parametersOf(url), ...(index === 0 && { 'if-none-match': etag }) }))
  return { ids, document: await fuzzDocument(real) }
}

it('whatever is sent, every answer is one the contract states', async () => {
  const { ids, document } = await prepare()
  const { held, report } = await fuzz({ baseUrl: service.baseUrl, key, document, config: drawFrom(ids, READERS) })
  assert.ok(held, report)
  assert.match(report, /Stateful/)
  const seen = await seenAnswers()
  assert.deepEqual(
    statedAnswers(document).filter((answer) => !seen.has(answer)),
    [],
    'successes, or refusals for want of a key, that were never met'
  )
})

it('the same of generations that are queued, and that run, as long as they are looked at', async () => {
  const created = await Promise.all(Array.from({ length: 12 }, () => client.generate({ num_images: 16 })))
  const findRunning = async () =>
    (await Promise.all(created.map(({ id }) => client.read(id)))).find(({ status }) => status === 'running')
  await until('one is running', findRunning)
  await service.runner().end('SIGKILL')
  const running = (await findRunning()) ?? assert.fail('all were finished before the runner was killed')
  const queued = await client.generate()
  const ids = [running.id, queued.id]
  const operations = [...READERS, 'deleteGeneration']
  const document = await fuzzDocument(forEach(operations, ids))
  // A wait for their end would be held for as long as it may be. Streams are cut once their first events are there.
  const config = drawFrom(ids, operations, ', "query.wait" = 0').replaceAll('include-', 'request-timeout = 1\ninclude-')
  const options = ['--max-examples', '30', ...operations.flatMap((operation) => ['--include-operation-id', operation])]
  const { held, report } = await fuzz({ baseUrl: service.baseUrl, key, document, config, options })
  assert.ok(held, report)
  assert.ok((await seenAnswers()).has('deleteGeneration 409'))
  assert.deepEqual([(await client.read(running.id)).status, (await client.read(queued.id)).status], ['running', 'queued'])
  await service.startRunner()
  for (const id of ids) assert.equal((await client.finish(id)).status, 'succeeded')
})
