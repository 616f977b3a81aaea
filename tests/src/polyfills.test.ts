import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EventSource } from 'eventsource'
import { EventSourcePolyfill } from 'event-source-polyfill'
import { createKey } from './support/create-key.ts'
import { createClient } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { openRelay } from './support/http-relay.ts'
import { until } from './support/until.ts'

let service: Deployment
let key: string
before(async () => {
  service = await deploy()
  key = await createKey(service, 'admin')
})
after(() => service.close())

interface Source extends EventTarget {
  readonly readyState: number
  close(): void
}

/** Clients as pages use them that must send a key, which a browser's own cannot. */
const SOURCES: Record<string, { open: (url: string) => Source; comesBack: RegExp }> = {
  'event-source-polyfill': {
    open: (url) => new EventSourcePolyfill(url, { headers: { authorization: `Bearer ${key}` } }),
    comesBack: /\?lastEventId=\w/
  },
  // It sends the header.
  eventsource: {
    open: (url) =>
      new EventSource(url, {
        fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } })
      }),
    comesBack: /\/events$/
  }
}

const CLOSED = 2

for (const [name, { open, comesBack }] of Object.entries(SOURCES)) {
  test(`${name} goes on where its connection was cut, and hears each event once`, async () => {
    let isCut = false
    const relay = await openRelay(service.baseUrl, {
      seen: (piece) => {
        if (isCut || !piece?.includes('event: snapshot')) return false
        isCut = true
        return true
      }
    })
    await service.runner().end()
    const { id } = await createClient(service.baseUrl, key).generate({ num_images: 2, previews: 'auto' })
    const source = open(`${relay.url}/v1/generations/${id}/events`)
    const heard: string[] = []
    for (const event of ['snapshot', 'output', 'end']) source.addEventListener(event, () => heard.push(event))
    try {
      await until('the connection is cut', async () => isCut && heard.length > 0)
      await until('it has come back', async () => relay.requests.length === 2)
      assert.match(relay.requests[1] ?? '', comesBack)
      await service.startRunner()
      await until('the end is heard', async () => {
        assert.notEqual(source.readyState, CLOSED)
        return heard.includes('end')
      })
      assert.deepEqual(heard, ['snapshot', 'output', 'output', 'end'])
    } finally {
      source.close()
      relay.close()
    }
  })
}
