import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import type { WebhookDelivery } from '../../generated/contract.ts'
import { delivery, DELIVERY_ID, json } from '../../testing/answers.ts'
import { runCommand } from '../../testing/run-command.ts'
import { startStandIn } from '../../testing/stand-in.ts'

const URL = 'https://hooks.example.com/nextscale'
const attempt = (rest: Partial<WebhookDelivery['attempts'][number]> = {}): WebhookDelivery['attempts'][number] => ({
  at: '2026-01-01T12:00:01.000Z',
  outcome: 'delivered',
  status_code: 204,
  latency_ms: 17.6,
  error: null,
  response: '',
  ...rest
})
const delivered = delivery({ status: 'delivered', attempts: [attempt()] })
const nextscale = (url: string, ...args: string[]) =>
  runCommand(['webhooks', ...args], { cwd: tmpdir(), env: { NEXTSCALE_URL: url } })

describe('nextscale webhooks', () => {
  it('test waits for the first attempt and shows what came of it', async () => {
    await using server = await startStandIn(json(202, delivery()), json(200, delivery()), json(200, delivered))
    const { code, stdout, stderr } = await nextscale(server.url, 'test', URL)
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, new RegExp(`^${DELIVERY_ID} {2}delivered .*generation\\.succeeded .*${URL} {2}1x {2}204 in 18 ms\n$`))
    assert.equal(server.seen[0]?.body, `{"url":"${URL}"}`)
  })

  it('test fails where the receiver refused, and shows its words', async () => {
    const attempts = [attempt({ outcome: 'rejected', status_code: 401, response: 'bad signature' })]
    const refused = delivery({ attempts, next_attempt_at: '2026-01-01T12:00:06.000Z' })
    await using server = await startStandIn(json(202, delivery()), json(200, refused))
    const { code, stdout, stderr } = await nextscale(server.url, 'test', URL)
    assert.deepEqual([code, stderr], [1, 'bad signature\n'])
    assert.match(stdout, / {2}1x {2}401 in 18 ms {2}next at 2026-01-01T12:00:06\.000Z\n$/)
  })

  it('redeliver waits for an attempt that was not there before', async () => {
    const again = delivery({ status: 'delivered', attempts: [attempt(), attempt({ latency_ms: 3 })] })
    await using server = await startStandIn(json(200, delivered), json(202, delivery()), json(200, delivered), json(200, again))
    const { code, stdout } = await nextscale(server.url, 'redeliver', DELIVERY_ID)
    assert.equal(code, 0)
    assert.match(stdout, / {2}2x {2}204 in 3 ms\n$/)
    assert.equal(server.seen[1]?.url, `/v1/webhook-deliveries/${DELIVERY_ID}/redeliver`)
  })

  it('deliveries lists as many as asked for, by status and generation', async () => {
    const failed = delivery({ status: 'failed', event: null, attempts: [attempt({ error: 'no connection', status_code: null })] })
    await using server = await startStandIn(json(200, { data: [failed, failed, failed], next_cursor: 'more' }))
    const { code, stdout } = await nextscale(
      server.url,
      'deliveries',
      '--status',
      'failed',
      '--generation',
      'gen_x',
      '--limit',
      '2'
    )
    assert.equal(code, 0)
    assert.match(stdout, /^(whd_\w+ {2}failed .* {2}1x {2}no connection\n){2}$/)
    assert.equal(server.seen[0]?.url, '/v1/webhook-deliveries?limit=2&status=failed&generation_id=gen_x')
  })

  it('secret prints the secret alone, and rotates it', async () => {
    const secret = { secret: 'whsec_AAAA', created_at: '2026-01-01T12:00:00.000Z', previous_expires_at: null }
    const rotated = { ...secret, previous_expires_at: '2026-01-02T12:00:00.000Z' }
    await using server = await startStandIn(json(200, secret), json(200, rotated))
    assert.deepEqual(await nextscale(server.url, 'secret'), { code: 0, stdout: 'whsec_AAAA\n', stderr: '' })
    const stderr = 'The one before it signs as well until 2026-01-02T12:00:00.000Z.\n'
    assert.deepEqual(await nextscale(server.url, 'secret', '--rotate'), { code: 0, stdout: 'whsec_AAAA\n', stderr })
    assert.deepEqual(
      server.seen.map(({ method, url }) => `${method} ${url}`),
      ['GET /v1/webhooks/secret', 'POST /v1/webhooks/secret/rotate']
    )
  })

  it('says which commands there are', async () => {
    await using server = await startStandIn(json(200, {}))
    const { code, stderr } = await nextscale(server.url, 'tset')
    assert.deepEqual(
      [code, stderr],
      [2, 'nextscale: There is no "webhooks tset": the commands are test, deliveries, redeliver, secret.\n']
    )
    assert.equal((await nextscale(server.url, '--help')).stdout.match(/^nextscale webhooks /gm)?.length, 4)
  })
})
