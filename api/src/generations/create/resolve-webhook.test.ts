import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  continueGeneration,
  createGeneration,
  type Generation,
  type GenerateImageResult,
  pictureKey,
  type Problem
} from '@nextscale/openapi'
import { assertKept } from '../../testing/contract.ts'
import { type DnsServer, startDnsServer } from '../../testing/dns-server.ts'
import { ableCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'

const HOOK = 'https://hooks.example.com/a?b=c'
const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 1 }

let dns: DnsServer
let context: TestApp
before(async () => {
  dns = await startDnsServer()
  dns.set('hooks.example.com', { A: ['93.184.215.14'] })
  dns.set('inner.example.com', { A: ['93.184.215.14', '10.0.0.7'] })
  dns.set('silent.example.com', 'silent')
  context = await openTestApp({ EGRESS_DNS_SERVERS: dns.address }, [ableCard()])
})
after(async () => {
  await context.close()
  await dns.close()
})

const generate = async (webhook: unknown, headers: Record<string, string> = {}) => {
  const response = await context.app.inject({
    method: 'POST',
    url: '/generate',
    headers: { 'content-type': 'application/json', ...headers },
    payload: JSON.stringify({ webhook })
  })
  assertKept(createGeneration, response)
  return response
}

const queued = async (response: Awaited<ReturnType<typeof generate>>) => {
  assert.equal(response.statusCode, 202, response.body)
  const job = await context.queue.getJob(bodyOf<Generation>(response).id)
  return job?.data.webhook
}

const ENDS = ['generation.succeeded', 'generation.failed', 'generation.canceled', 'generation.expired']

test('a webhook is queued with its events, the ends unless it names some, and the base of URLs', async () => {
  const headers = { host: 'localhost:8080' }
  const base = 'http://localhost:8080'
  assert.deepEqual(await queued(await generate({ url: HOOK }, headers)), { url: HOOK, events: ENDS, base })
  assert.deepEqual(await queued(await generate({ url: HOOK, events: [] }, headers)), { url: HOOK, events: ENDS, base })
  const events = ['generation.progress', 'generation.failed']
  assert.deepEqual(await queued(await generate({ url: HOOK, events }, headers)), { url: HOOK, events, base })
  assert.equal(await queued(await generate(null)), null)
  assert.equal(await queued(await generate(undefined)), null)
})

test('a URL that nothing is sent to is refused with its field and what to use instead, and nothing is made', async () => {
  const refused: Record<string, RegExp> = {
    'http://hooks.example.com/': /Use https/,
    'https://127.0.0.1/': /not public/,
    'https://0x7f000001/': /not public/,
    'https://[::ffff:169.254.169.254]/': /not public/,
    'https://inner.example.com/': /not public/,
    'https://localhost/': /private networks/,
    'https://nowhere.example.com/': /has no address/,
    'https://hooks.example.com:6379/': /Use port 443 or 8443/,
    'https://a:b@hooks.example.com/': /user name and password/,
    'ftp://hooks.example.com/': /Use https, not ftp/
  }
  const before = await context.queue.getJobCountByTypes()
  for (const [url, expected] of Object.entries(refused)) {
    const response = await generate({ url })
    assert.equal(response.statusCode, 422, url)
    const { code, detail, errors } = bodyOf<Problem>(response)
    assert.equal(code, 'webhook_url_refused')
    assert.deepEqual(
      errors.map(({ pointer }) => pointer),
      ['/webhook/url']
    )
    assert.match(errors[0]?.detail ?? '', expected)
    assert.equal(detail, `/webhook/url: ${errors[0]?.detail}`)
    assert.doesNotMatch(response.body, /10\.0\.0\.7/)
  }
  const malformed = await generate({ url: 'hooks.example.com' })
  assert.equal(malformed.statusCode, 400)
  assert.deepEqual(
    bodyOf<Problem>(malformed).errors.map(({ pointer }) => pointer),
    ['/webhook/url']
  )
  assert.equal(await context.queue.getJobCountByTypes(), before)
})

test('a name server that keeps silent refuses nothing', async () => {
  const url = 'https://silent.example.com/'
  assert.equal((await queued(await generate({ url })))?.url, url)
})

test('a generation that continues another has a webhook of its own, or none', async () => {
  const worker = await context.runner(async (job): Promise<GenerateImageResult> => {
    const key = pictureKey(job.id ?? '', 0, 'png')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
  })
  const { id } = await context.generate({ stop_at_scale: 1, webhook: { url: HOOK } })
  await context.app.inject(`/generations/${id}?wait=10`)
  await worker.close()
  const goOn = async (webhook: unknown) => {
    const response = await post(context.app, `/generations/${id}/continue`, { webhook })
    assertKept(continueGeneration, response)
    return response
  }
  assert.equal((await queued(await goOn({ url: 'https://hooks.example.com/other' })))?.url, 'https://hooks.example.com/other')
  assert.equal(await queued(await goOn(undefined)), null)
  const refused = await goOn({ url: 'https://10.0.0.1/' })
  assert.deepEqual([refused.statusCode, bodyOf<Problem>(refused).code], [422, 'webhook_url_refused'])
})
