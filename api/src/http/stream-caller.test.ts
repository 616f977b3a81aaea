import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Generation } from '@nextscale/openapi'
import type { CreatedKey } from '../keys/create.ts'
import { revokeKey } from '../keys/revoke.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp({ HOST: '0.0.0.0' })
})
after(() => context.close())

/** The link to the events of a generation that a new key made. */
const makeLink = async (): Promise<{ key: CreatedKey; link: string }> => {
  const key = await context.createKey()
  const headers = { authorization: `Bearer ${key.token}` }
  const response = await context.app.inject({ method: 'POST', url: '/generate', headers, payload: {} })
  const { pathname, search } = new URL(bodyOf<Generation>(response).urls.events)
  return { key, link: `${pathname}${search}` }
}

const statusOf = async (url: string) => (await context.app.inject({ method: 'HEAD', url })).statusCode

/** Keys are known for a second after they were looked up. */
const statusOnceForgotten = async (link: string) => {
  for (let look = 0; look < 100 && (await statusOf(link)) === 200; look++) await sleep(50)
  return statusOf(link)
}

test('a revoked key takes its stream tokens with it', async () => {
  const { key, link } = await makeLink()
  assert.equal(await statusOf(link), 200)
  await revokeKey(context, key.record.id)
  assert.equal(await statusOnceForgotten(link), 401)
})

test('so does a key that has expired', async () => {
  const { key, link } = await makeLink()
  assert.equal(await statusOf(link), 200)
  const expired = { ...key.record, expires_at: new Date(Date.now() - 1000).toISOString() }
  await context.redis.hset(context.keys.apiKeys, key.record.id, JSON.stringify(expired))
  assert.equal(await statusOnceForgotten(link), 401)
})

test('a token lets into the events of its generation and nothing else', async () => {
  const { link } = await makeLink()
  const { link: other } = await makeLink()
  const search = link.slice(link.indexOf('?'))
  assert.equal(await statusOf(other.replace(/\?.*/, search)), 401)
  const generation = link.replace(/\/events\?.*/, '')
  for (const [method, url] of [
    ['GET', generation],
    ['DELETE', generation],
    ['POST', `${generation}/cancel`],
    ['GET', '/v1/generations']
  ] as const)
    assert.equal((await context.app.inject({ method, url: `${url}${search}` })).statusCode, 401, `${method} ${url}`)
})
