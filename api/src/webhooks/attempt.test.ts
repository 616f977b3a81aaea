import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KEPT_ANSWER_BYTES, WebhookAttempt } from '@nextscale/openapi'
import { type Egress, EgressRefusal } from '../egress/egress.ts'
import { openEgress } from '../egress/open.ts'
import { parserOf } from '../contract/parser.ts'
import { openReceiver, type Receiver } from '../testing/receiver.ts'
import { type AttemptReport, makeAttempt } from './attempt.ts'

let receiver: Receiver
let egress: Egress
before(async () => {
  receiver = await openReceiver()
  egress = openEgress({ targets: 'any', ports: [], dnsServers: [] })
})
after(async () => {
  receiver.close()
  await egress.close()
})

const isAttempt = parserOf(WebhookAttempt)
const { signal } = new AbortController()

const attempt = async (
  answer: (response: ServerResponse) => void,
  url = receiver.url,
  timeoutMs = 5000
): Promise<AttemptReport> => {
  receiver.answer = (_request, response) => answer(response)
  const report = await makeAttempt(egress, { url, headers: {}, body: '{}', timeoutMs, signal })
  assert.notEqual(isAttempt(report.attempt), undefined, `not what the contract states: ${JSON.stringify(report.attempt)}`)
  return report
}
const outcomeOf = async (...given: Parameters<typeof attempt>) => {
  const { outcome, status_code: status } = (await attempt(...given)).attempt
  return [outcome, status]
}

test('2xx is taken, any other status is not, redirects included', async () => {
  const statuses = [200, 204, 299, 302, 308, 400, 410, 500, 599, 600, 777, 999]
  const outcomes: unknown[] = []
  for (const status of statuses) {
    outcomes.push(await outcomeOf((response) => void response.writeHead(status, { location: receiver.url }).end()))
  }
  assert.deepEqual(
    outcomes,
    statuses.map((status) => [status < 300 ? 'delivered' : 'rejected', status])
  )
  assert.equal(receiver.requests.length, statuses.length, 'no redirect is followed')
})

test('what is no answer has no status', async () => {
  for (const status of ['000', '099', '101', '1000', 'abc']) {
    const { attempt: made } = await attempt(
      (response) => void response.socket?.end(`HTTP/1.1 ${status} x\r\ncontent-length: 0\r\n\r\n`)
    )
    assert.deepEqual([made.outcome, made.status_code], ['unreachable', null], status)
    assert.match(made.error ?? '', /^The answer is not HTTP/)
  }
  assert.deepEqual(await outcomeOf((response) => void response.destroy()), ['unreachable', null])
  assert.deepEqual(await outcomeOf(() => undefined, receiver.url, 50), ['timeout', null])
  assert.deepEqual(await outcomeOf((response) => void response.writeHead(200).write('…'), receiver.url, 50), ['timeout', null])
  assert.deepEqual(await outcomeOf(() => undefined, 'http://127.0.0.1:1/'), ['unreachable', null])
})

test('a URL that nothing is sent to is refused, in words for its owner', async () => {
  const refusing: Egress = { ...egress, post: () => Promise.reject(new EgressRefusal('Use a public address.')) }
  const { attempt: refused } = await makeAttempt(refusing, { url: receiver.url, headers: {}, body: '', timeoutMs: 1000, signal })
  assert.deepEqual([refused.outcome, refused.error], ['refused', 'Use a public address.'])
})

test('of a long answer the beginning is kept, whole characters only', async () => {
  const { attempt: kept } = await attempt((response) => void response.end(`a${'€'.repeat(1000)}`))
  assert.equal(kept.response, `a${'€'.repeat((KEPT_ANSWER_BYTES - 1) / 3)}`)
  const { attempt: cut } = await attempt((response) => void response.end('€'.repeat(1000)))
  assert.equal(cut.response, '€'.repeat(Math.floor(KEPT_ANSWER_BYTES / 3)))
})

test('Retry-After is read as seconds and as a date; nonsense is none', async () => {
  const read = async (value: string) =>
    (await attempt((response) => void response.writeHead(503, { 'retry-after': value }).end())).retryAfterMs
  assert.equal(await read('120'), 120_000)
  assert.equal(await read('soon'), null)
  assert.equal(await read('Thu, 01 Jan 1970 00:00:00 GMT'), 0)
  const inAnHour = Date.now() + 3_600_000
  const untilThen = (await read(new Date(inAnHour).toUTCString())) ?? 0
  // Dates have whole seconds.
  assert.ok(untilThen > 0 && untilThen <= 3_600_000)
})

test('only who ends it from outside sees it throw', async () => {
  receiver.answer = () => undefined
  const stop = new AbortController()
  const ended = makeAttempt(egress, { url: receiver.url, headers: {}, body: '', timeoutMs: 60_000, signal: stop.signal })
  await sleep(10)
  stop.abort(new Error('stopped'))
  await assert.rejects(ended, /stopped/)
})
