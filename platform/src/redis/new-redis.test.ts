import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readRedis } from '../config/index.ts'
import type { Log } from '../observe/log.ts'
import { freePort, startRedis, temporaryFolder, until } from '../testing/index.ts'
import { connectListener, connectProducer, connectWorker } from './connect.ts'
import { newRedis } from './new-redis.ts'

const collect = () => {
  const said: string[] = []
  const say = (...args: unknown[]) => void said.push(String(args.at(-1)))
  return { said, log: { info: say, warn: say, error: say, debug: () => undefined } as unknown as Log }
}

const openssl = (folder: string, ...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })

/** An authority, and the key and certificate of a server at 127.0.0.1 that it has signed. */
const authority = (folder: string, name: string) => {
  const subject = ['-subj', `/CN=${name}`, '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-days', '2']
  openssl(folder, 'req', '-x509', '-keyout', `${name}.key`, '-out', `${name}.crt`, ...subject)
  const signed = ['-CA', `${name}.crt`, '-CAkey', `${name}.key`, '-addext', 'subjectAltName=IP:127.0.0.1']
  openssl(folder, 'req', '-x509', '-keyout', 'redis.key', '-out', 'redis.crt', ...subject, ...signed)
  return join(folder, `${name}.crt`)
}

const openTls = async (t: TestContext) => {
  const folder = await temporaryFolder(t)
  const other = authority(folder, 'other')
  const own = authority(folder, 'own')
  const port = await freePort()
  const files = ['cert', 'key'].flatMap((kind) => [`--tls-${kind}-file`, join(folder, `redis.${kind === 'key' ? 'key' : 'crt'}`)])
  const server = await startRedis(undefined, [
    '--tls-port',
    String(port),
    ...files,
    '--tls-ca-cert-file',
    own,
    '--tls-auth-clients',
    'no'
  ])
  t.after(() => server.stop())
  return { own, other, REDIS_URL: `rediss://127.0.0.1:${port}` }
}

test('REDIS_CA_FILE is the authority that the certificate of Redis is held against, on every connection', async (t) => {
  const { own, other, REDIS_URL } = await openTls(t)
  const { log, said } = collect()
  const access = readRedis({ REDIS_URL, REDIS_CA_FILE: own })
  assert.equal(access.redisCa, readFileSync(own, 'utf8').trim())
  const clients = [connectProducer(access, log), connectWorker(access, log), connectListener(access)]
  clients.push(...clients.map((client) => client.duplicate({ lazyConnect: true })))
  for (const client of clients) {
    client.on('error', () => undefined)
    if (client.status === 'wait') void client.connect()
    await until('it is connected', () => client.status === 'ready')
    client.disconnect()
  }
  assert.deepEqual(said, ['Redis is connected'])
  for (const wrong of [{ REDIS_URL, REDIS_CA_FILE: other }, { REDIS_URL }]) {
    const { log: wrongLog, said: told } = collect()
    const refused = connectProducer(readRedis(wrong), wrongLog)
    await until('it is said', () => told.length > 0)
    refused.disconnect()
    assert.match(
      told.join('\n'),
      /^Redis cannot be reached, since its certificate is not taken \([A-Z_]+\): set REDIS_CA_FILE to the certificate of the authority that signed it, and REDIS_URL to a host that it names; trying until it can$/
    )
  }
})

test('a password that changes is read from the file again by each client and its duplicates, whichever changes first', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const file = join(await temporaryFolder(t), 'url')
  const write = (password: string) => writeFileSync(file, `redis://:${password}@127.0.0.1:${server.port}\n`)
  const setPassword = (password: string) => server.redis.config('SET', 'requirepass', password)
  await setPassword('first')
  write('first')
  const { log } = collect()
  const access = readRedis({ REDIS_URL_FILE: file })
  const own = [connectProducer(access, log), connectWorker(access, log), connectListener(access)]
  const clients = [...own, ...own.map((client) => client.duplicate())]
  t.after(() => {
    for (const client of clients) client.disconnect()
  })
  for (const client of clients) {
    client.on('error', () => undefined)
    if (client.status === 'wait') client.connect().catch(() => undefined)
  }
  const areReady = () => until('all are connected', () => clients.every(({ status }) => status === 'ready'))
  await areReady()
  const drop = async () => {
    const closed = Promise.all(clients.map((client) => once(client, 'close')))
    await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await closed
  }

  await setPassword('second')
  await drop()
  // Meanwhile the file may be half written.
  writeFileSync(file, '')
  await assert.rejects(clients[0]?.ping() ?? Promise.resolve())
  write('second')
  await areReady()

  write('third')
  await setPassword('third')
  await drop()
  await areReady()
  // One that is made from options of before finds its way as well.
  const late = own[1]?.duplicate({ password: 'second' })
  late?.on('error', () => undefined)
  t.after(() => late?.disconnect())
  await until('the late one is connected', () => late?.status === 'ready')
})

test('who is told to give up does so where no server answers', async () => {
  const port = await freePort()
  for (const url of [`redis+cluster://127.0.0.1:${port}`, `redis+sentinel://127.0.0.1:${port}/main`]) {
    const redis = newRedis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => undefined)
    await assert.rejects(redis.connect())
    redis.disconnect()
  }
})

test('a database that the server does not have is no other one', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const redis = newRedis(`${server.url}/99`, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
  const failed = once(redis, 'error')
  await redis.connect().catch(() => undefined)
  assert.match(String((await failed)[0]), /DB index is out of range/)
  await assert.rejects(redis.set('a', '1'))
  assert.equal(await server.redis.dbsize(), 0)
})
