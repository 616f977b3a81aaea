import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Generation, operations, type Operation, type Problem, SCOPES } from '@nextscale/openapi'
import { fastify, type FastifyInstance } from 'fastify'
import { buildApp } from '../build-app.ts'
import { readConfig } from '../config.ts'
import { createKeyFinder } from '../keys/find.ts'
import { revokeKey } from '../keys/revoke.ts'
import { assertKept } from '../testing/contract.ts'
import { freePort, until } from '@nextscale/platform/testing'
import { modelCard } from '../testing/model-card.ts'
import { bodyOf, collect, openTestApp, type TestApp, untilReady } from '../testing/test-app.ts'
import { authentication } from './authentication.ts'
import { ANONYMOUS, type Caller } from './caller.ts'
import { problems } from './problems.ts'
import { requestLog } from './request-log.ts'

const UNMARKED = { mark: async () => undefined, isMarked: async () => false }
const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const scoped = operations.filter(({ scope }) => scope !== null)
const list = operations.find(({ operationId }) => operationId === 'listGenerations') ?? assert.fail()

let context: TestApp
before(async () => {
  // Beyond loopback nobody is taken without a key, from the first request on.
  context = await openTestApp({ HOST: '0.0.0.0' })
})
after(() => context.close())

const call = ({ method, path }: Operation, headers: Record<string, string>, { app } = context) =>
  app.inject({ method, url: path.replace('{id}', ID), headers })

/** Operations this server has a route for. */
const served = () =>
  scoped.filter(({ method, path }) => context.app.hasRoute({ method, url: path.replaceAll(/\{(\w+)\}/g, ':$1') }))

const codeOf = (response: { json(): unknown }) => bodyOf<Problem>(response).code

describe('with keys', () => {
  test('every operation that has a scope is refused without a key, and says how to send one', async () => {
    for (const operation of served()) {
      const response = await call(operation, {})
      assert.equal(response.statusCode, 401, operation.operationId)
      assert.equal(response.headers['www-authenticate'], 'Bearer')
      assert.match(bodyOf<Problem>(response).detail, /Authorization: Bearer/)
      assert.deepEqual(bodyOf<Problem>(response).errors, [
        { pointer: '/headers/authorization', detail: 'Required, but missing.' }
      ])
      assertKept(operation, response)
    }
  })

  test('every operation takes its scope and admin, and names the scope to a key that lacks it', async () => {
    for (const scope of SCOPES) {
      const { token } = await context.createKey({ scopes: [scope] })
      for (const operation of served()) {
        const response = await call(operation, bearer(token))
        const isMissing = scope !== 'admin' && scope !== operation.scope
        assert.equal(response.statusCode === 403, isMissing, `${operation.operationId} with ${scope}: ${response.body}`)
        if (!isMissing) {
          assert.notEqual(response.statusCode, 401)
          continue
        }
        assert.equal(codeOf(response), 'missing_scope')
        assert.ok(bodyOf<Problem>(response).detail.includes(`scope \`${operation.scope}\``))
        assertKept(operation, response)
      }
    }
  })

  test('malformed, unknown, wrong and expired keys are 401', async () => {
    const { token } = await context.createKey()
    const { token: expired } = await context.createKey({ name: 'old', expiresAt: new Date(Date.now() - 1) })
    const other = token.endsWith('a') ? 'b' : 'a'
    const wrong = [
      bearer(`${token.slice(0, -1)}${other}`),
      bearer(token.slice(0, -1)),
      bearer(`${token}a`),
      bearer(token.toUpperCase()),
      bearer(`ns_aaaaaaaaaaaa_${'a'.repeat(43)}`),
      bearer(expired),
      bearer(''),
      { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` },
      { authorization: token }
    ]
    for (const headers of wrong) {
      const response = await call(list, headers)
      assert.equal(response.statusCode, 401, headers.authorization)
      assertKept(list, response)
    }
    assert.match(bodyOf<Problem>(await call(list, bearer(expired))).detail, /"old" expired at/)
    assert.equal((await call(list, { authorization: `bearer  ${token}` })).statusCode, 200)
  })

  test('a key expires at its time, although it is in the cache', async () => {
    const { token } = await context.createKey({ expiresAt: new Date(Date.now() + 700) })
    assert.equal((await call(list, bearer(token))).statusCode, 200)
    await until('it is refused', async () => (await call(list, bearer(token))).statusCode !== 200)
    assert.match(bodyOf<Problem>(await call(list, bearer(token))).detail, /expired/)
  })

  test('a revoked key is refused once the second is over for which it was known', async () => {
    const { token, record } = await context.createKey()
    assert.equal((await call(list, bearer(token))).statusCode, 200)
    assert.equal(await revokeKey(context, record.id), 'revoked')
    let now = Date.now()
    const finder = createKeyFinder({ ...context, store: UNMARKED, now: () => now })
    assert.equal(await finder.find(record.id), undefined)
    const { record: later } = await context.createKey()
    assert.equal((await finder.find(later.id))?.id, later.id)
    await revokeKey(context, later.id)
    now += 999
    assert.equal((await finder.find(later.id))?.id, later.id)
    now += 1
    assert.equal(await finder.find(later.id), undefined)
    await until('it is refused', async () => (await call(list, bearer(token))).statusCode !== 200)
    assert.equal((await call(list, bearer(token))).statusCode, 401)
  })

  test('somebody else’s generation does not exist, for whatever is done with it', async () => {
    const [mine, theirs] = [bearer((await context.createKey()).token), bearer((await context.createKey()).token)]
    const headers = { ...mine, 'content-type': 'application/json' }
    const created = await context.app.inject({ method: 'POST', url: '/generate', headers, payload: '{}' })
    assert.equal(created.statusCode, 202)
    const { id } = bodyOf<Generation>(created)
    const requests = [
      { method: 'GET', url: `/generations/${id}` },
      { method: 'GET', url: `/generations/${id}?wait=1` },
      { method: 'POST', url: `/generations/${id}/cancel` },
      { method: 'DELETE', url: `/generations/${id}` }
    ] as const
    for (const request of requests) {
      const response = await context.app.inject({ ...request, headers: theirs })
      assert.equal(codeOf(response), 'generation_not_found', `${request.method} ${request.url}`)
      assert.equal(response.statusCode, 404)
    }
    assert.deepEqual(bodyOf<{ data: unknown[] }>(await call(list, theirs)).data, [])
    assert.deepEqual(
      bodyOf<{ data: Generation[] }>(await call(list, mine)).data.map((each) => each.id),
      [id]
    )
    const canceled = await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel`, headers: mine })
    assert.equal(bodyOf<Generation>(canceled).status, 'canceled')
  })

  test('probes, the contract and links ask for no key', async () => {
    for (const url of ['/healthz', '/readyz', '/openapi.json', '/docs/']) {
      assert.equal((await context.app.inject(url)).statusCode, 200, url)
    }
    const link = await context.app.inject(`/objects/generations/${ID}/0.png?expires=1&signature=x`)
    assert.equal(codeOf(link), 'link_invalid')
  })
})

test('on loopback no key is asked for until there is one', async () => {
  const local = await openTestApp()
  try {
    assert.equal((await call(list, {}, local)).statusCode, 200)
    const { token } = await local.createKey()
    await until('one is asked for', async () => (await call(list, {}, local)).statusCode === 401)
    assert.equal((await call(list, bearer(token), local)).statusCode, 200)
  } finally {
    await local.close()
  }
})

test('once there has been a key, nothing opens but UNAUTHENTICATED=allow', async () => {
  const local = await openTestApp()
  const restart = (environment: Record<string, string> = {}) =>
    buildApp(readConfig({ REDIS_URL: local.server.url, OBJECT_DIR: local.directory, LOG_LEVEL: 'silent', ...environment }))
  const statusOf = async (app: FastifyInstance) => (await app.inject({ url: '/generations', headers: {} })).statusCode
  try {
    assert.equal(await statusOf(local.app), 200)
    const { record } = await local.createKey()
    await until('it is closed', async () => (await statusOf(local.app)) === 401)
    await revokeKey(local, record.id)
    const second = await restart()
    await untilReady(second)
    assert.equal(await statusOf(second), 401)
    await second.close()
    // As when Redis comes back without its data.
    await local.redis.flushall()
    await local.announce(modelCard())
    const third = await restart()
    await untilReady(third)
    for (const app of [local.app, third]) {
      await new Promise((resolve) => setTimeout(resolve, 1100))
      assert.equal(await statusOf(app), 401)
    }
    await third.close()
    const open = await restart({ UNAUTHENTICATED: 'allow' })
    await untilReady(open)
    assert.equal(await statusOf(open), 200)
    await open.close()
  } finally {
    await local.close()
  }
})

test('keys that an earlier release made are remembered as well', async () => {
  const local = await openTestApp()
  try {
    const { token, record } = await local.createKey()
    await local.redis.del(local.keys.keysMade)
    assert.equal((await call(list, bearer(token), local)).statusCode, 200)
    await until('it is remembered', async () => (await local.redis.get(local.keys.keysMade)) === '1')
    await revokeKey(local, record.id)
    assert.equal((await call(list, {}, local)).statusCode, 401)
  } finally {
    await local.close()
  }
})

test('who comes from another machine through a trusted proxy needs a key, also on loopback before there is one', async () => {
  const local = await openTestApp({ TRUST_PROXY: 'loopback' })
  try {
    assert.equal((await call(list, { 'x-forwarded-for': '203.0.113.9' }, local)).statusCode, 401)
    assert.equal((await call(list, { 'x-forwarded-for': '127.0.0.1' }, local)).statusCode, 200)
    assert.equal((await call(list, {}, local)).statusCode, 200)
  } finally {
    await local.close()
  }
})

test('UNAUTHENTICATED=allow asks for no key, honours a valid one, and says so of one that is not', async () => {
  const open = await openTestApp({ UNAUTHENTICATED: 'allow', HOST: '0.0.0.0' })
  try {
    const { token, record } = await open.createKey({ scopes: ['read'] })
    assert.equal((await call(list, {}, open)).statusCode, 200)
    assert.equal((await call(list, { authorization: 'Basic eDp5' }, open)).statusCode, 200)
    const headers = { ...bearer(token), 'content-type': 'application/json' }
    const refused = await open.app.inject({ method: 'POST', url: '/generate', headers, payload: '{}' })
    assert.equal(codeOf(refused), 'missing_scope')
    await revokeKey(open, record.id)
    assert.equal((await call(list, bearer(`ns_${'a'.repeat(12)}_${'a'.repeat(43)}`), open)).statusCode, 401)
  } finally {
    await open.close()
  }
})

test('a key that cannot be looked up because Redis is away is a 503', async () => {
  const config = readConfig({
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    LINK_SECRET: 'x'.repeat(32),
    LOG_LEVEL: 'silent'
  })
  const app = await buildApp(config)
  try {
    for (const headers of [bearer(`ns_aaaaaaaaaaaa_${'a'.repeat(43)}`), {}]) {
      const response = await app.inject({ url: '/generations', headers })
      assert.equal(codeOf(response), 'queue_unavailable')
      assert.equal(response.statusCode, 503)
      assert.ok(Number(response.headers['retry-after']) > 0)
    }
  } finally {
    await app.close()
  }
})

test('operations that take stream tokens ask who sent one, and others do not', async () => {
  const config = readConfig({ HOST: '0.0.0.0' })
  const caller: Caller = { ...ANONYMOUS, owner: 'streamer', scopes: ['read'] }
  const app = fastify()
  await app.register(problems, { bodyLimitBytes: 1024 })
  await app.register(requestLog)
  const apiKeys = { find: () => undefined, anyEver: () => true }
  const rate = { take: () => assert.fail() }
  const streamCaller = (request: { query: unknown }) => (JSON.stringify(request.query).includes('good') ? caller : undefined)
  await app.register(authentication, { config, apiKeys, rate, streamCaller })
  for (const operation of scoped.filter(({ method }) => method === 'GET')) {
    app.get(`/${operation.operationId}`, { config: { operation } }, async (request) => request.caller?.owner)
  }
  for (const { operationId, takesStreamToken = false, method } of scoped) {
    if (method !== 'GET') continue
    assert.equal((await app.inject(`/${operationId}?token=good`)).statusCode, takesStreamToken ? 200 : 401, operationId)
    assert.equal((await app.inject(`/${operationId}?token=bad`)).statusCode, 401, operationId)
  }
  assert.equal((await app.inject('/getGenerationEvents?token=good')).body, 'streamer')
  await app.close()
})

test('neither keys nor stream tokens get into the log, at any level', async () => {
  const lines: string[] = []
  const { redisUrl } = readConfig({ REDIS_URL: context.server.url })
  const environment = { REDIS_URL: redisUrl, HOST: '0.0.0.0', LINK_SECRET: 'x'.repeat(32), LOG_LEVEL: 'trace' }
  const app = await buildApp(readConfig(environment), { logStream: collect(lines) })
  const { token } = await context.createKey()
  const secret = token.slice(token.lastIndexOf('_') + 1)
  const streamToken = 'streamtokenstreamtoken'
  const urls = [`/generations/${ID}/events?token=${streamToken}`, `/generations?%74oken=${streamToken}`, `/generations/${token}`]
  for (const url of urls) await app.inject({ url, headers: bearer(token) })
  context.server.freeze()
  // Not looked up yet, so that the requests fail and are logged with their reason.
  const headers = bearer(`ns_${'a'.repeat(12)}_${secret}`)
  for (const { statusCode } of await Promise.all(urls.map((url) => app.inject({ url, headers })))) {
    assert.ok(statusCode === 503 || statusCode === 404, String(statusCode))
  }
  context.server.thaw()
  await app.close()
  const log = lines.join('')
  assert.match(log, /token=\*\*\*/)
  assert.match(log, /queue_unavailable/)
  assert.ok(!log.includes(secret))
  assert.ok(!log.includes(streamToken))
  assert.ok(!/authorization/i.test(log))
})
