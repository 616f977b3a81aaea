import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { WebhookSecret } from '@nextscale/openapi'
import { problemOf } from '../testing/problem-of.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'

/** What browsers send along from pages of other origins. */
const FOREIGN: Record<string, string>[] = [
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site', origin: 'http://localhost' },
  { origin: 'https://evil.example' },
  { origin: 'http://localhost:3000' },
  { origin: 'http://localhost.evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'none', origin: 'https://evil.example' }
]

/** What they send from this server’s own, and other clients. */
const OWN: Record<string, string>[] = [
  {},
  { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' },
  // A proxy that puts its own name in Host.
  { 'sec-fetch-site': 'same-origin', origin: 'https://pictures.example' },
  { 'sec-fetch-site': 'none' },
  { origin: 'http://localhost' },
  { origin: 'http://localhost:80' },
  { origin: 'http://LOCALHOST' }
]

const secretOf = async ({ app }: TestApp) => bodyOf<WebhookSecret>(await app.inject('/webhooks/secret')).secret

const rotate = ({ app }: TestApp, headers: Record<string, string>) =>
  app.inject({ method: 'POST', url: '/webhooks/secret/rotate', headers: { host: 'localhost', ...headers } })

const cancel = ({ app }: TestApp, headers: Record<string, string>) =>
  app.inject({ method: 'POST', url: `/generations/gen_${'a'.repeat(26)}/cancel`, headers: { host: 'localhost', ...headers } })

for (const env of [{}, { UNAUTHENTICATED: 'allow' }] as Record<string, string>[]) {
  describe(`where no key is asked for (${JSON.stringify(env)})`, () => {
    let context: TestApp
    before(async () => {
      context = await openTestApp(env)
    })
    after(() => context.close())

    test('a page of another origin changes nothing', async () => {
      const secret = await secretOf(context)
      for (const headers of FOREIGN) {
        problemOf(await rotate(context, headers), 'origin_not_allowed')
        problemOf(await cancel(context, headers), 'origin_not_allowed')
        const payload = '{}'
        const json = { 'content-type': 'application/json' }
        const made = await context.app.inject({ method: 'POST', url: '/generate', headers: { ...json, ...headers }, payload })
        problemOf(made, 'origin_not_allowed')
      }
      assert.equal(await secretOf(context), secret)
    })

    test('this server’s own pages and all that is no browser do as before', async () => {
      for (const headers of OWN) problemOf(await cancel(context, headers), 'generation_not_found')
      assert.equal((await rotate(context, {})).statusCode, 200)
    })

    test('reading stays open, since a page sees nothing of it', async () => {
      for (const headers of FOREIGN) {
        const response = await context.app.inject({ url: '/generations', headers: { host: 'localhost', ...headers } })
        assert.deepEqual([response.statusCode, response.headers['access-control-allow-origin']], [200, undefined])
      }
    })
  })
}

test('an origin in CORS_ORIGINS, and that of PUBLIC_URL, are let in; a key lets in whoever sends it', async () => {
  const context = await openTestApp({ CORS_ORIGINS: 'https://app.example', PUBLIC_URL: 'https://pictures.example/ai' })
  try {
    for (const origin of ['https://app.example', 'https://pictures.example'])
      problemOf(await cancel(context, { origin }), 'generation_not_found')
    problemOf(await cancel(context, { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }), 'generation_not_found')
    problemOf(await cancel(context, { origin: 'https://other.example' }), 'origin_not_allowed')
    const { token } = await context.createKey()
    const keyed = await cancel(context, { origin: 'https://other.example', authorization: `Bearer ${token}` })
    problemOf(keyed, 'generation_not_found')
  } finally {
    await context.close()
  }
})
