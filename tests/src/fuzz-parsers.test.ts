import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, it } from 'node:test'
import type { Problem } from '@nextscale/openapi'
import { assertProblem } from './support/contract.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { freePort } from './support/free-port.ts'
import { type HostileRequest, hostileRequests } from './support/hostile-requests.ts'

const SEED = 20_260_101
const EACH = 30
const LANES = 12
/** More than a wait that may be granted to what turns out to be right. */
const DEADLINE_MS = 70_000

let service: Deployment
let ended: string
before(async () => {
  // So that nothing that reads a part of requests is left out; nobody listens where traces are sent.
  const collector = `http://127.0.0.1:${await freePort()}`
  const env = {
    TRUST_PROXY: 'loopback',
    CORS_ORIGINS: 'https://app.example',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    EGRESS: 'any'
  }
  service = await deploy({ env })
  const { id } = await service.client.generate({ previews: 'auto' })
  ended = (await service.client.finish(id)).id
})
after(() => service.close())

/** All that comes back until the server closes the connection. After a while this side has said all, whatever it promised. */
const exchange = (bytes: string, patienceMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const { port, hostname } = new URL(service.baseUrl)
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(bytes, 'latin1')))
    const patience = setTimeout(() => socket.end(), patienceMs)
    const deadline = setTimeout(() => {
      reject(new Error(`no end within ${DEADLINE_MS} ms`))
      socket.destroy()
    }, DEADLINE_MS)
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('utf8')))
    // What was refused before it was read may be cut off with a reset.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(patience)
      clearTimeout(deadline)
      resolve(received)
    })
  })

/** An answer under way ends with a connection that this side ends, so one that took longer is asked for once more. */
const send = async (bytes: string): Promise<string> => (await exchange(bytes, 1000)) || (await exchange(bytes, DEADLINE_MS / 2))

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

const assertSound = ({ bytes }: HostileRequest, answer: string): void => {
  const [head = '', ...rest] = answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n')
  const [, status = ''] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? []
  assert.match(status, /^[234]\d\d$/, head)
  assert.match(head, /\r\nx-content-type-options: nosniff\r\n/i)
  assert.match(head, /\r\nx-request-id: req_/i)
  const body = rest.join('\r\n\r\n')
  if (Number(status) < 400) return
  assert.match(head, /\r\ncontent-type: application\/problem\+json/i)
  if (bytes.startsWith('HEAD ')) return
  const problem: unknown = JSON.parse(body)
  assertProblem(problem)
  const { detail, errors } = problem as Problem
  for (const text of [detail, ...errors.map((error) => error.detail)]) assert.doesNotMatch(text, UNPRINTABLE)
}

it('whatever stands in a request, the answer is sound: no fault of this server, no silence, no bytes of the request', async () => {
  const requests = hostileRequests({ seed: SEED, each: EACH, ended })
  const wrong: string[] = []
  let count = 0
  const lane = async () => {
    for (let next = requests.next(); next.done !== true; next = requests.next()) {
      count += 1
      const { name, bytes } = next.value
      try {
        assertSound(next.value, await send(bytes))
      } catch (error) {
        wrong.push(`${name}: ${JSON.stringify(bytes.slice(0, 300))}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${count} answers`)
  assert.ok(count > 3000, `${count} requests`)
  const faults = service
    .api()
    .output()
    .split('\n')
    .filter((line) => /"level":(?:50|60)/.test(line))
  assert.deepEqual(faults, [], 'the server takes something for a fault of its own')
  assert.equal((await service.client.send('get', '/healthz')).status, 200)
})
