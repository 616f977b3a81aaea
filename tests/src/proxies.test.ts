import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import compression from 'compression'
import { openBrowser } from './support/browser.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { connectOnce } from './support/event-source.ts'
import { freePort } from './support/free-port.ts'
import { openRelay } from './support/http-relay.ts'
import { until } from './support/until.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

const withoutNoTransform = (headers: Record<string, string | string[] | undefined>) => ({
  ...headers,
  'cache-control': String(headers['cache-control']).replace(', no-transform', '')
})

/** What happens in which order when events of a generation come through a proxy that compresses what it may. */
const hearThroughCompression = async (mayTransform: boolean): Promise<string[]> => {
  const order: string[] = []
  const relay = await openRelay(service.baseUrl, {
    middleware: compression(),
    ...(mayTransform && { rewrite: withoutNoTransform }),
    seen: (piece) => {
      if (piece === undefined) order.push('the service has ended the stream')
      else if (piece.includes('event: snapshot')) order.push('the service has sent the snapshot')
    }
  })
  try {
    await service.runner().end()
    const { urls } = await service.client.generate()
    const listening = (async () => {
      for await (const { event } of connectOnce(urls.events.replace(service.baseUrl, relay.url)))
        if (event === 'snapshot' || event === 'end') order.push(`the client has heard ${event}`)
    })()
    await until('the service has sent the snapshot', async () => order.length > 0)
    // Only then does anything go on, so what is held back is heard after the end.
    if (!mayTransform) await until('the client has heard it', async () => order.length > 1)
    await service.startRunner()
    await listening
    return order
  } finally {
    relay.close()
  }
}

test('events pass a proxy that compresses one by one, which would gather them until the end if it might', async () => {
  assert.deepEqual(await hearThroughCompression(true), [
    'the service has sent the snapshot',
    'the service has ended the stream',
    'the client has heard snapshot',
    'the client has heard end'
  ])
  assert.deepEqual((await hearThroughCompression(false)).slice(0, 2), [
    'the service has sent the snapshot',
    'the client has heard snapshot'
  ])
})

const PREFIX = '/ai/images'

test('behind a prefix that a proxy takes off, a browser finds the reference, and all of it and its server lie within', async () => {
  const port = await freePort()
  const inner = `http://127.0.0.1:${port}`
  const relay = await openRelay(inner, { prefix: PREFIX })
  const publicUrl = `${relay.url}${PREFIX}`
  const api = await service.startApi({ PORT: String(port), PUBLIC_URL: publicUrl })
  const browser = await openBrowser()
  try {
    for (const start of [PREFIX, `${PREFIX}/`, `${PREFIX}/docs`, `${PREFIX}/docs/`]) {
      const page = await browser.newPage()
      const asked: string[] = []
      page.on('request', (request) => asked.push(request.url()))
      await page.goto(`${relay.url}${start}`, { waitUntil: 'commit' })
      assert.equal(page.url(), `${publicUrl}/docs/`)
      if (start === PREFIX) {
        await page.getByText('Generate pictures').first().waitFor({ timeout: 60_000 })
        assert.ok((await page.innerText('body')).includes(`${publicUrl}/v1`), 'the server that is tried is not shown')
      }
      const outside = asked.filter((url) => !url.startsWith(publicUrl) && !url.endsWith('/favicon.ico') && /^https?:/.test(url))
      assert.deepEqual(outside, [])
      await page.close()
    }
    for (const path of ['/openapi.json', '/docs/openapi.json']) {
      const document = (await (await fetch(`${publicUrl}${path}`)).json()) as { servers: object[] }
      assert.deepEqual(document.servers, [{ url: `${publicUrl}/v1` }])
    }
  } finally {
    await browser.close()
    await api.end()
    relay.close()
  }
})
