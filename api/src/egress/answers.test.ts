import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { promisify } from 'node:util'
import { createCertificate } from '../testing/certificate.ts'
import type { EgressRequest } from './egress.ts'
import { openEgress } from './open.ts'

const ANY = { targets: 'any', ports: [], dnsServers: [] } as const

const egress = openEgress(ANY)
after(() => egress.close())

const opened: (() => void)[] = []
const closeAll = () => {
  for (const close of opened.splice(0)) close()
}
afterEach(closeAll)

/** Listens on loopback until the test ends; returns the port. */
const listen = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)))
  opened.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : assert.fail('It has a port')
}

const receive = async (handle: RequestListener) => `http://127.0.0.1:${await listen(createServer(handle))}/hook`

/** Answers every connection with these bytes, whatever it asks. */
const answerRaw = async (answer: (socket: Socket) => void) => {
  const server = createTcpServer((socket) => {
    socket.once('data', () => answer(socket))
  })
  return `http://127.0.0.1:${await listen(server)}/hook`
}

const request = (url: string, changes: Partial<EgressRequest> = {}): EgressRequest => ({
  url,
  headers: { 'content-type': 'application/json' },
  body: '{}',
  timeoutMs: 10_000,
  maxAnswerBytes: 1024,
  signal: new AbortController().signal,
  ...changes
})

test('a request arrives as it is, and its answer is read', async () => {
  const seen: unknown[] = []
  const url = await receive((incoming, response) => {
    incoming.setEncoding('utf8').on('data', (body: string) => {
      const { method, url: path, headers } = incoming
      seen.push({ method, path, body, id: headers['webhook-id'], type: headers['content-type'], host: headers.host })
    })
    incoming.on('end', () => response.writeHead(418, { 'retry-after': '7', 'set-cookie': ['a', 'b'] }).end('grüße'))
  })
  const headers = { 'content-type': 'application/json', 'webhook-id': 'msg_1' }
  const answer = await egress.post(request(`${url}?a=b#c`, { headers, body: '{"ü":1}' }))
  const { host } = new URL(url)
  assert.deepEqual(seen, [{ method: 'POST', path: '/hook?a=b', body: '{"ü":1}', id: 'msg_1', type: 'application/json', host }])
  assert.equal(answer.status, 418)
  assert.equal(answer.body, 'grüße')
  assert.equal(answer.headers['retry-after'], '7')
  assert.deepEqual(answer.headers['set-cookie'], ['a', 'b'])
})

test('an endless answer is cut at the limit, and its connection closed', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const url = await receive((_, response) => {
    response.writeHead(200)
    const more = () => {
      while (response.write('é'.repeat(5000)));
    }
    response.on('drain', more).on('close', resolve)
    more()
  })
  const { status, body } = await egress.post(request(url, { maxAnswerBytes: 1001 }))
  await closed
  assert.equal(status, 200)
  assert.equal(body, 'é'.repeat(500))
})

test('an answer that does not come, or not to its end, is over with the time', async () => {
  const trickle = await receive((_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(timer))
  })
  const informs = await answerRaw((socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10)
    socket.on('close', () => clearInterval(timer))
  })
  const slowHeaders = await answerRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const timer = setInterval(() => socket.write('a: b\r\n'), 100)
    socket.on('close', () => clearInterval(timer))
  })
  const hang = await receive(() => undefined)
  for (const url of [hang, trickle, informs, slowHeaders]) {
    await assert.rejects(egress.post(request(url, { timeoutMs: 300 })), (error) => {
      assert.ok(error instanceof DOMException)
      assert.equal(error.name, 'TimeoutError')
      return true
    })
  }
})

test('a request ends with its signal, and so does its connection', async () => {
  const stopping = new AbortController()
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const url = await receive((incoming) => {
    incoming.socket.on('close', resolve)
    stopping.abort(new Error('stopping'))
  })
  await assert.rejects(egress.post(request(url, { signal: stopping.signal })), { message: 'stopping' })
  await closed
  await assert.rejects(egress.post(request(url, { signal: stopping.signal })), { message: 'stopping' })
})

test('redirects are answers, and nobody goes where they lead', async () => {
  let followed = 0
  const elsewhere = await receive((_, response) => {
    followed += 1
    response.end()
  })
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of [elsewhere, 'http://169.254.169.254/latest/meta-data/']) {
      const url = await receive((_, response) => response.writeHead(status, { location }).end('moved'))
      const answer = await egress.post(request(url))
      assert.deepEqual([answer.status, answer.headers['location'], answer.body], [status, location, 'moved'])
    }
  }
  assert.equal(followed, 0)
})

test('a connection that breaks says how, without addresses', async () => {
  const closed = 'The connection was closed before a whole answer'
  const broken: Record<string, string> = {
    [await answerRaw((socket) => socket.resetAndDestroy())]: `${closed} (ECONNRESET).`,
    [await answerRaw((socket) => socket.end())]: `${closed} (UND_ERR_SOCKET).`,
    [await answerRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'))]: `${closed} (UND_ERR_SOCKET).`,
    [await answerRaw((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'))]: 'The answer is not HTTP (HPE_INVALID).',
    [await answerRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\na: ${'b'.repeat(100_000)}\r\n\r\n`))]:
      'The headers of the answer are too large (UND_ERR_HEADERS_OVERFLOW).'
  }
  for (const [url, message] of Object.entries(broken))
    await assert.rejects(egress.post(request(url)), { name: 'ConnectionError', message })
  const port = await listen(createTcpServer())
  closeAll()
  const message = 'Nothing listens there (ECONNREFUSED).'
  for (const host of ['127.0.0.1', 'localhost'])
    await assert.rejects(egress.post(request(`http://${host}:${port}/`)), { message, code: 'ECONNREFUSED' })
})

const { cert, key } = createCertificate('localhost')
const other = createCertificate('localhost')
const startTls = () => listen(createTlsServer({ cert, key }, (_, response) => response.end('taken')))

test('a certificate is verified: its authority and its host', async () => {
  const port = await startTls()
  await assert.rejects(egress.post(request(`https://localhost:${port}/`)), {
    message: 'The certificate is of no authority that is trusted here (DEPTH_ZERO_SELF_SIGNED_CERT).'
  })
  const trusting = openEgress(ANY, { ca: cert })
  assert.equal((await trusting.post(request(`https://localhost:${port}/`))).body, 'taken')
  await assert.rejects(trusting.post(request(`https://127.0.0.1:${port}/`)), {
    message: 'The certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID).'
  })
  await trusting.close()
  const wrong = openEgress(ANY, { ca: other.cert })
  await assert.rejects(wrong.post(request(`https://localhost:${port}/`)), { name: 'ConnectionError' })
  await wrong.close()
  const plain = await receive((_, response) => response.end())
  await assert.rejects(egress.post(request(plain.replace('http:', 'https:'))), { message: /^No TLS connection came about/ })
})

const run = promisify(execFile)

/** What a request of another process gets, in that environment. */
const postIn = async (env: Record<string, string>, url: string): Promise<string> => {
  const program = `
    const { openEgress } = await import(${JSON.stringify(new URL('open.ts', import.meta.url).href)})
    const egress = openEgress(${JSON.stringify(ANY)})
    const request = { ...${JSON.stringify({ ...request(url), signal: null })}, signal: new AbortController().signal }
    console.log(await egress.post(request).then(({ body }) => body, ({ message }) => message))
    await egress.close()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { env })
  return stdout.trim()
}

test('the environment can add an authority, but neither turn verification off nor put a proxy in between', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nextscale-egress-'))
  const authority = join(directory, 'ca.pem')
  await writeFile(authority, cert)
  const url = `https://localhost:${await startTls()}/`
  let proxied = 0
  const proxy = `http://127.0.0.1:${await listen(createTcpServer((socket) => socket.destroy()).on('connection', () => (proxied += 1)))}`
  const proxies = {
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    ALL_PROXY: proxy
  }
  assert.match(await postIn({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, url), /DEPTH_ZERO_SELF_SIGNED_CERT/)
  assert.equal(await postIn({ NODE_EXTRA_CA_CERTS: authority, ...proxies }, url), 'taken')
  const plain = await receive((_, response) => response.end('taken'))
  assert.equal(await postIn(proxies, plain), 'taken')
  assert.equal(proxied, 0)
  await rm(directory, { recursive: true })
})
