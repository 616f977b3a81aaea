import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type EventStream, openEventStream } from './event-stream.ts'

/** More than sockets buffer, in blocks. */
const MAX_BLOCKS = 1000
const BLOCK = `data: ${'x'.repeat(65_536)}\n\n`

/** A stream, and the socket of a client that does not read. */
const deafClient = async (
  t: TestContext,
  stallMs: number,
  closing?: AbortSignal
): Promise<{ stream: EventStream; raw: ServerResponse; socket: Socket }> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const [, raw] = (await once(server, 'request')) as [unknown, ServerResponse]
  t.after(() => {
    socket.destroy()
    server.close()
    server.closeAllConnections()
  })
  return { stream: openEventStream(raw, { headers: {}, heartbeatMs: 10, stallMs, ...(closing && { closing }) }), raw, socket }
}

/** Sends until the client has to be waited for. */
const fill = async (stream: EventStream): Promise<{ waiting: Promise<string> }> => {
  for (let sent = 0; sent < MAX_BLOCKS; sent += 1) {
    const waiting = stream.send(BLOCK)
    const first = await Promise.race([waiting, new Promise<string>((resolve) => setTimeout(resolve, 20, 'waits'))])
    if (first === 'waits') return { waiting }
  }
  throw new Error('The client takes everything')
}

test('while a client reads nothing, one block waits and heartbeats are left out; when it reads, the stream goes on', async (t) => {
  const { stream, raw, socket } = await deafClient(t, 60_000)
  const { waiting } = await fill(stream)
  const buffered = raw.writableLength
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(raw.writableLength, buffered)
  socket.resume()
  assert.equal(await waiting, 'after-waiting')
  assert.equal(stream.closed.aborted, false)
})

test('a client that takes nothing for too long is dropped', async (t) => {
  const { stream } = await deafClient(t, 50)
  await (
    await fill(stream)
  ).waiting
  if (!stream.closed.aborted) await once(stream.closed, 'abort')
  assert.equal(await stream.send('after'), 'at-once')
})

test('a client that goes is heard of, and what is sent to it is lost', async (t) => {
  const { stream, socket } = await deafClient(t, 60_000)
  const closed = once(stream.closed, 'abort')
  socket.destroy()
  await closed
  assert.equal(await stream.send(BLOCK), 'at-once')
  stream.end('')
})

test('a server that closes waits for nobody who reads nothing', async (t) => {
  const closing = new AbortController()
  const { stream } = await deafClient(t, 60_000, closing.signal)
  const { waiting } = await fill(stream)
  closing.abort()
  await waiting
  stream.end('')
  if (!stream.closed.aborted) await once(stream.closed, 'abort')
})
