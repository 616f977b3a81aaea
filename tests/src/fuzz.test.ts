import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, it } from 'node:test'
import type { Generation, WebhookDelivery } from '@nextscale/openapi'
import { eachPage } from './support/each-page.ts'
import { type Client, createClient } from './support/client.ts'
import { createKey } from './support/create-key.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { eventSource, hearAll } from './support/event-source.ts'
import { type FuzzDocument, fuzzDocument, type RealParameters, statedAnswers } from './support/fuzz-document.ts'
import { type FuzzReceiver, startFuzzReceiver } from './support/fuzz-receiver.ts'
import { fuzz } from './support/schemathesis.ts'
import { until } from './support/until.ts'

let service: Deployment
let key: string
let client: Client
let receiver: FuzzReceiver
before(async () => {
  receiver = await startFuzzReceiver()
  // What is not taken is tried again in an hour: it stays pending as long as the fuzzer runs.
  const webhooks = {
    EGRESS: 'any',
    WEBHOOK_RETRY_DELAYS_SECONDS: '3600',
    WEBHOOK_SIGNING_KEYS: `whsk_${randomBytes(32).toString('base64')}`
  }
  service = await deploy({ env: webhooks })
  key = await createKey(service, 'admin')
  client = createClient(service.baseUrl, key)
})
after(async () => {
  await service.close()
  receiver.close()
})

/** Operations on one generation that leave it as it is. */
const READERS = ['getGeneration', 'getGenerationEvents', 'continueGeneration']

/** Operations on one webhook delivery. */
const OF_DELIVERIES = ['getWebhookDelivery', 'redeliverWebhook']

/** For each of the operations: half of the ids in paths are drawn from these. */
const drawFrom = (name: string, ids: readonly string[], operations: readonly string[], parameters = ''): string =>
  [
    `[dictionaries.${name}]\nvalues = ${JSON.stringify(ids)}`,
    ...operations.map(
      (operation) =>
        `[[operations]]\ninclude-operation-id = "${operation}"\n` +
        `parameters = { "path.id" = { dictionary = "${name}", probability = 0.5 }${parameters} }`
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

const readDelivery = async (id: string) => {
  const { body } = await client.send('get', `/v1/webhook-deliveries/${id}`)
  return body as WebhookDelivery
}

/** Ids of webhook deliveries in every state in which they stay, of a test, and of one that was deleted. */
const prepareDeliveries = async (): Promise<string[]> => {
  const announced = (path: string, events: readonly string[] = []) =>
    finish({ webhook: { url: `${receiver.url}${path}`, events } })
  const wanted = { delivered: await announced('/taken'), failed: await announced('/gone'), pending: await announced('/later') }
  const skipped = await announced('/taken', ['generation.failed'])
  const idOf = ({ webhook }: Generation) => webhook?.delivery_id ?? assert.fail('no webhook')
  for (const [status, generation] of Object.entries({ ...wanted, skipped })) {
    await until(`a delivery is ${status}`, async () => {
      const delivery = await readDelivery(idOf(generation))
      return delivery.status === status && (status !== 'pending' || delivery.next_attempt_at !== null)
    })
  }
  const erased = await announced('/taken')
  await client.send('delete', `/v1/generations/${erased.id}`)
  const { body } = await client.send('post', '/v1/webhooks/test', (test) => test.send({ url: `${receiver.url}/taken` }))
  return [...[...Object.values(wanted), skipped, erased].map(idOf), (body as WebhookDelivery).id]
}

/** Generations in every terminal state that a caller can bring about, as parameters that operations can be called with. */
const prepare = async (): Promise<{ ids: string[]; deliveries: string[]; document: FuzzDocument }> => {
  const deliveries = await prepareDeliveries()
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
  const real = { ...forEach(READERS, ids), ...forEach(OF_DELIVERIES, deliveries) }
  real['createGeneration'] = [{ prefer: 'wait=30' }]
  real['continueGeneration']?.push({ id: draft.id, prefer: 'wait=30' })
  real['getGeneration']?.push({ id: draft.id, 'if-none-match': headers['etag'] ?? '' })
  real['getGenerationEvents']?.push({ id: draft.id, 'last-event-id': last?.id ?? '' })
  const links = whole.outputs.flatMap(({ url, tokens_url: tokens }) => [url, tokens ?? assert.fail('no tokens')])
  const objects = [...links, ...whole.previews.map(({ url }) => url)]
  const etag = (await fetch(objects[0] ?? '')).headers.get('etag') ?? ''
  real['getObject'] = objects.map((url, index) => ({ ...parametersOf(url), ...(index === 0 && { 'if-none-match': etag }) }))
  return { ids, deliveries, document: await fuzzDocument(real) }
}

/** Where webhooks were to be sent of everything that was accepted. */
const readTargets = async (): Promise<string[]> => {
  const targets: string[] = []
  await eachPage<WebhookDelivery>(
    client,
    '/v1/webhook-deliveries?limit=100',
    (page) => void targets.push(...page.map(({ url }) => url))
  )
  return targets
}

it('whatever is sent, every answer is one the contract states', async () => {
  const { ids, deliveries, document } = await prepare()
  const config = `${drawFrom('ids', ids, READERS)}\n\n${drawFrom('deliveries', deliveries, OF_DELIVERIES)}`
  const { held, report } = await fuzz({ baseUrl: service.baseUrl, key, receiver: receiver.url, document, config })
  assert.ok(held, report)
  assert.match(report, /Stateful/)
  const seen = await seenAnswers()
  assert.deepEqual(
    statedAnswers(document).filter((answer) => !seen.has(answer)),
    [],
    'successes, or refusals for want of a key, that were never met'
  )
  const targets = await readTargets()
  assert.ok(targets.length > deliveries.length)
  assert.deepEqual(
    targets.filter((url) => !url.startsWith(`${receiver.url}/`)),
    [],
    'webhooks that left this machine'
  )
})

it('the same of generations that are queued, and that run, as long as they are looked at', async () => {
  const created = await Promise.all(Array.from({ length: 12 }, () => client.generate({ num_images: 16 })))
  const findRunning = async () =>
    (await Promise.all(created.map(({ id }) => client.read(id)))).find(({ status }) => status === 'running')
  await until('one is running', findRunning)
  // It would put the generation back whose runner is lost.
  await service.control().end('SIGKILL')
  await service.runner().end('SIGKILL')
  const running = (await findRunning()) ?? assert.fail('all were finished before the runner was killed')
  const queued = await client.generate({ webhook: { url: `${receiver.url}/taken` } })
  const ids = [running.id, queued.id]
  const deliveries = [queued.webhook?.delivery_id ?? assert.fail('no webhook')]
  const ofGenerations = [...READERS, 'deleteGeneration']
  const document = await fuzzDocument({ ...forEach(ofGenerations, ids), ...forEach(OF_DELIVERIES, deliveries) })
  // A wait for their end would be held for as long as it may be. Streams are cut once their first events are there.
  const draws = [drawFrom('ids', ids, ofGenerations, ', "query.wait" = 0'), drawFrom('deliveries', deliveries, OF_DELIVERIES)]
  const config = draws.join('\n\n').replaceAll('include-', 'request-timeout = 1\ninclude-')
  const options = [
    '--max-examples',
    '30',
    ...[...ofGenerations, ...OF_DELIVERIES].flatMap((operation) => ['--include-operation-id', operation])
  ]
  const { held, report } = await fuzz({ baseUrl: service.baseUrl, key, receiver: receiver.url, document, config, options })
  assert.ok(held, report)
  const seen = await seenAnswers()
  for (const answer of ['deleteGeneration 409', 'redeliverWebhook 409']) assert.ok(seen.has(answer), answer)
  assert.deepEqual([(await client.read(running.id)).status, (await client.read(queued.id)).status], ['running', 'queued'])
  await Promise.all([service.startControl(), service.startRunner()])
  for (const id of ids) assert.equal((await client.finish(id)).status, 'succeeded')
})
