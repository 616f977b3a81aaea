import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type DnsServer, startDnsServer } from '../testing/dns-server.ts'
import { createClient } from './client.ts'
import { type Egress, EgressRefusal } from './egress.ts'
import { createGuardedLookup } from './guarded-lookup.ts'
import { openEgress } from './open.ts'
import { createNameResolver } from './resolve.ts'

const PUBLIC = '93.184.215.14'
const PUBLIC_V6 = '2606:2800:21f:cb07:6820:80da:af6b:8b2c'
const HOST = 'hooks.example.com'

let receiver: Server
let port: number
let connections = 0
const bodies: string[] = []
before(async () => {
  receiver = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text))
    request.on('end', () => response.end('taken'))
  })
  receiver.on('connection', () => (connections += 1))
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = receiver.address()
  port = typeof address === 'object' && address ? address.port : assert.fail('It has a port')
})
after(() => {
  receiver.close()
  receiver.closeAllConnections()
})

let dns: DnsServer
let egress: Egress
let any: Egress
beforeEach(async () => {
  connections = 0
  bodies.length = 0
  dns = await startDnsServer()
  egress = openEgress({ targets: 'public', ports: [port], dnsServers: [dns.address] })
  any = openEgress({ targets: 'any', ports: [], dnsServers: [dns.address] })
})
afterEach(async () => {
  await egress.close()
  await any.close()
  await dns.close()
})

const send = (from: Egress, url: string, { body = '{}', timeoutMs = 10_000 } = {}) =>
  from.post({ url, headers: {}, body, timeoutMs, maxAnswerBytes: 1024, signal: new AbortController().signal })

const isRefusal = (error: unknown) =>
  error instanceof EgressRefusal && /not public/.test(error.message) && !/\d+\.\d+|::/.test(error.message)

test('a name that was public when it was checked and is private now gets no connection', async () => {
  dns.set(HOST, { A: [PUBLIC] })
  await egress.check(`https://${HOST}:${port}/`)
  dns.set(HOST, { A: ['127.0.0.1'] })
  await assert.rejects(send(egress, `https://${HOST}:${port}/`), isRefusal)
  assert.equal(connections, 0)
  // The same address takes connections of those who may make them.
  assert.equal((await send(any, `http://${HOST}:${port}/`)).body, 'taken')
  assert.equal(connections, 1)
})

test('one address that is not public is enough, wherever it stands', async () => {
  const mixed = [
    { A: [PUBLIC, '127.0.0.1'] },
    { A: ['169.254.169.254', PUBLIC] },
    { A: [PUBLIC], AAAA: ['::1'] },
    { A: [PUBLIC], AAAA: [PUBLIC_V6, 'fd00:ec2::254'] },
    { AAAA: ['fe80::1'] },
    { AAAA: ['::ffff:127.0.0.1'] },
    { A: ['10.0.0.1'], AAAA: [PUBLIC_V6] },
    { A: [...Array<string>(20).fill(PUBLIC), '127.0.0.1'] }
  ]
  for (const [index, entry] of mixed.entries()) {
    const name = `mixed${index}.example.com`
    dns.set(name, entry)
    await assert.rejects(egress.check(`https://${name}:${port}/`), isRefusal, JSON.stringify(entry))
    await assert.rejects(send(egress, `https://${name}:${port}/`), isRefusal, JSON.stringify(entry))
  }
  assert.equal(connections, 0)
})

test('another name for a private one is refused', async () => {
  dns.set('inner.example.com', { A: ['127.0.0.1'] })
  dns.set('outer.example.com', { CNAME: 'inner.example.com' })
  dns.set('outermost.example.com', { CNAME: 'outer.example.com' })
  for (const name of ['outer', 'outermost']) {
    await assert.rejects(egress.check(`https://${name}.example.com:${port}/`), isRefusal)
    await assert.rejects(send(egress, `https://${name}.example.com:${port}/`), isRefusal)
  }
  assert.equal(connections, 0)
})

test('a name that does not exist or has no address is refused; name servers that fail or keep silent refuse nothing', async () => {
  dns.set('empty.example.com', {})
  dns.set('fails.example.com', 'fails')
  dns.set('silent.example.com', 'silent')
  for (const name of ['nowhere.example.com', 'empty.example.com']) {
    await assert.rejects(egress.check(`https://${name}:${port}/`), {
      name: 'EgressRefusal',
      message: 'The host has no address. Check how its name is spelled, and its DNS records.'
    })
    await assert.rejects(send(egress, `https://${name}:${port}/`), {
      name: 'ConnectionError',
      code: 'ENOTFOUND',
      message: 'The name has no address (ENOTFOUND).'
    })
  }
  await egress.check(`https://fails.example.com:${port}/`)
  await egress.check(`https://silent.example.com:${port}/`)
  await assert.rejects(send(egress, `https://fails.example.com:${port}/`), {
    code: 'EAI_AGAIN',
    message: 'The name servers did not answer (EAI_AGAIN).'
  })
})

test('a silent name delays no other, and ends with the time of its request', async () => {
  for (let index = 0; index < 20; index++) dns.set(`silent${index}.example.com`, 'silent')
  dns.set(HOST, { A: ['127.0.0.1'] })
  const ended: string[] = []
  const slow = Array.from({ length: 20 }, async (_, index) => {
    await assert.rejects(send(any, `http://silent${index}.example.com:${port}/`, { timeoutMs: 900 }), { name: 'TimeoutError' })
    ended.push('slow')
  })
  await send(any, `http://${HOST}:${port}/`)
  ended.push('quick')
  await Promise.all(slow)
  assert.equal(ended[0], 'quick')
})

test('a request whose time is up is not sent when its connection comes about later', async () => {
  dns.set(HOST, 'silent')
  await assert.rejects(send(any, `http://${HOST}:${port}/`, { body: 'late', timeoutMs: 100 }), { name: 'TimeoutError' })
  dns.set(HOST, { A: ['127.0.0.1'] })
  await once(receiver, 'connection')
  await send(any, `http://${HOST}:${port}/`, { body: 'second' })
  assert.deepEqual(bodies, ['second'])
})

test('checks of one host share what name servers say; each connection asks once, and gets what was checked', async () => {
  dns.set(HOST, { A: ['127.0.0.1'] })
  await Promise.all(Array.from({ length: 50 }, (_, index) => any.check(`http://${HOST}:${port}/${index}`)))
  assert.deepEqual(dns.asked.toSorted(), [`A ${HOST}`, `AAAA ${HOST}`])
  await send(any, `http://${HOST}:${port}/`)
  assert.equal(dns.asked.length, 4)
  // The connection is free again once its answer has been taken, a turn later.
  await setImmediate()
  await send(any, `http://${HOST}:${port}/`)
  assert.deepEqual([dns.asked.length, connections], [4, 1])
})

test('sockets get the public addresses of a name, and nothing when one of them is not', async () => {
  const config = { targets: 'public', ports: [443], dnsServers: [dns.address] } as const
  const names = createNameResolver(config)
  const look = promisify(createGuardedLookup(names, config))
  dns.set(HOST, { A: [PUBLIC], AAAA: [PUBLIC_V6] })
  assert.deepEqual(await look(HOST, { all: true }), [
    { address: PUBLIC, family: 4 },
    { address: PUBLIC_V6, family: 6 }
  ])
  dns.set(HOST, { A: [PUBLIC], AAAA: ['fc00::1'] })
  await assert.rejects(look(HOST, { all: true }), isRefusal)
  names.close()
})

test('addresses, which sockets do not look up, are checked at the connection as well', async () => {
  const config = { targets: 'public', ports: [port], dnsServers: [dns.address] } as const
  const names = createNameResolver(config)
  const client = createClient({ config, names, ca: undefined })
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:7f00:1]']) {
    const { signal } = new AbortController()
    const wanted = { url: '', headers: {}, body: '', timeoutMs: 1000, maxAnswerBytes: 1024, signal }
    await assert.rejects(client.post(new URL(`http://${host}:${port}/`), wanted, signal), isRefusal, host)
  }
  assert.equal(connections, 0)
  await client.close()
  names.close()
})

test('a check ends with its caller', async () => {
  dns.set(HOST, 'silent')
  const caller = new AbortController()
  const checking = egress.check(`https://${HOST}:${port}/`, caller.signal)
  caller.abort(new Error('gone'))
  await assert.rejects(checking, { message: 'gone' })
})

test('where any target is let through, names are those of the system', async () => {
  const system = openEgress({ targets: 'any', ports: [], dnsServers: [] })
  await system.check(`http://localhost:${port}/`)
  assert.equal((await send(system, `http://localhost:${port}/`)).body, 'taken')
  await system.close()
})
