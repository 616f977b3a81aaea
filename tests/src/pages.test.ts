import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openBrowser, openSite, postFrom, runAt, type Site } from './support/browser.ts'
import { createKey } from './support/create-key.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { freePort } from './support/free-port.ts'

let service: Deployment
let browser: Browser
let site: Site
before(async () => {
  service = await deploy()
  site = await openSite()
  browser = await openBrowser()
})
after(async () => {
  await browser.close()
  site.close()
  await service.close()
})

const secretOf = async (baseUrl = service.baseUrl) => {
  const answer = await fetch(`${baseUrl}/v1/webhooks/secret`)
  return ((await answer.json()) as { secret: string }).secret
}

/** Ways in which a page can have a browser post without being asked. */
const POSTS = {
  'a fetch': (url: string) => `void fetch('${url}', { method: 'POST', mode: 'no-cors' }).catch(() => undefined)`,
  'a fetch of no text': (url: string) =>
    `void fetch('${url}', { method: 'POST', mode: 'no-cors', body: '' }).catch(() => undefined)`,
  'a beacon': (url: string) => `void navigator.sendBeacon('${url}')`,
  'a form': (url: string) => `
    void Object.assign(document.body.appendChild(document.createElement('form')), { method: 'post', action: '${url}' }).submit()`,
  'a form of plain text': (url: string) => `
    const form = document.body.appendChild(document.createElement('form'))
    void Object.assign(form, { method: 'post', enctype: 'text/plain', action: '${url}' }).submit()`
}

test('a page of another site, and one of another port, rotates no secret where no key is asked for', async () => {
  const other = String(await freePort())
  const open = `http://127.0.0.1:${other}`
  const api = await service.startApi({ PORT: other, UNAUTHENTICATED: 'allow' })
  const secret = await secretOf()
  for (const baseUrl of [service.baseUrl, open]) {
    const target = `${baseUrl}/v1/webhooks/secret/rotate`
    for (const [way, post] of Object.entries(POSTS)) {
      for (const origin of [site.byName, site.byAddress]) {
        assert.equal(await postFrom(browser, origin, post(target), target), 403, `${way} from ${origin}`)
        assert.equal(await secretOf(baseUrl), secret, `${way} from ${origin}`)
      }
    }
  }
  await api.end()
})

test('a page of this server may, and so may one that CORS_ORIGINS names, which can read the answer', async () => {
  const before = await secretOf()
  const target = `${service.baseUrl}/v1/webhooks/secret/rotate`
  assert.equal(await postFrom(browser, `${service.baseUrl}/openapi.json`, POSTS['a fetch'](target), target), 200)
  const after = await secretOf()
  assert.notEqual(after, before)
  const port = String(await freePort())
  const named = `http://127.0.0.1:${port}`
  const api = await service.startApi({ PORT: port, CORS_ORIGINS: site.byName })
  const read = await runAt(
    browser,
    site.byName,
    `return (await (await fetch('${named}/v1/webhooks/secret/rotate', { method: 'POST' })).json()).secret`
  )
  assert.equal(read, await secretOf())
  assert.notEqual(read, after)
  // The other name of the same machine is another origin.
  const refused = `return fetch('${named}/v1/webhooks/secret/rotate', { method: 'POST' }).then(() => 'read', () => 'refused')`
  assert.equal(await runAt(browser, site.byAddress, refused), 'refused')
  assert.equal(await secretOf(), read)
  await api.end()
})

test('a page of any origin may follow events, fetch and draw pictures, previews and tokens by their links, and read the contract', async () => {
  const { urls, id } = await service.client.generate({ return_tokens: true, previews: 'auto' })
  const { outputs, previews } = await service.client.finish(id)
  const [output] = outputs
  const [preview] = previews
  assert.ok(output?.tokens_url && preview)
  const body = `
    const sizeOf = async (url) => (await (await fetch(url)).blob()).size
    const statusOf = async (url, headers = {}) => (await fetch(url, { headers })).status
    const pixelOf = async (url) => {
      const picture = new Image()
      picture.crossOrigin = 'anonymous'
      picture.src = url
      await picture.decode()
      const context = document.createElement('canvas').getContext('2d')
      context.drawImage(picture, 0, 0)
      return context.getImageData(0, 0, 1, 1).data[3]
    }
    const events = []
    await new Promise((ended, broken) => {
      const source = new EventSource('${urls.events}')
      source.addEventListener('snapshot', () => events.push('snapshot'))
      source.addEventListener('end', () => { events.push('end'); source.close(); ended() })
      source.onerror = broken
    })
    return {
      sizes: [await sizeOf('${output.url}'), await sizeOf('${preview.url}'), await sizeOf('${output.tokens_url}')].map((size) => size > 0),
      alpha: await pixelOf('${output.url}'),
      refused: [await statusOf('${output.url}0'), await statusOf('${urls.events}0')],
      known: await statusOf('${output.url}', { 'if-none-match': '"x"' }),
      title: (await (await fetch('${service.baseUrl}/openapi.json')).json()).info.title,
      events
    }`
  assert.deepEqual(await runAt(browser, site.byName, body), {
    sizes: [true, true, true],
    alpha: 255,
    refused: [403, 401],
    known: 200,
    title: 'Nextscale',
    events: ['snapshot', 'end']
  })
  const closed = `return fetch('${service.baseUrl}/v1/generations').then(() => 'read', () => 'refused')`
  assert.equal(await runAt(browser, site.byName, closed), 'refused')
})

test('a page that CORS_ORIGINS names uses the API with a key, and reads headers and refusals', async () => {
  const alone = await deploy({ env: { CORS_ORIGINS: site.byName } })
  try {
    const key = await createKey(alone, 'admin')
    const body = `
      const headers = { authorization: 'Bearer ${key}', 'content-type': 'application/json', 'idempotency-key': 'a', prefer: 'wait=30' }
      const generate = () => fetch('${alone.baseUrl}/generate', { method: 'POST', headers, body: '{}' })
      const first = await generate()
      const again = await generate()
      const refused = await fetch('${alone.baseUrl}/v1/generations')
      return {
        statuses: [first.status, again.status, refused.status],
        location: first.headers.get('location') === (await first.json()).urls.self,
        applied: first.headers.get('preference-applied'),
        replayed: again.headers.get('idempotency-replayed'),
        code: (await refused.json()).code,
        named: refused.headers.get('x-request-id').startsWith('req_')
      }`
    assert.deepEqual(await runAt(browser, site.byName, body), {
      statuses: [200, 200, 401],
      location: true,
      applied: 'wait=30',
      replayed: 'true',
      code: 'unauthorized',
      named: true
    })
    const other = `return fetch('${alone.baseUrl}/v1/models', { headers: { authorization: 'Bearer ${key}' } }).then(() => 'read', () => 'refused')`
    assert.equal(await runAt(browser, site.byAddress, other), 'refused')
  } finally {
    await alone.close()
  }
})
