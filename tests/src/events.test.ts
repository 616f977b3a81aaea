import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Preview } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from './support/deployment.ts'
import { connectOnce, eventSource, hearAll, type ServerEvent } from './support/event-source.ts'
import { freePort } from './support/free-port.ts'
import { until } from './support/until.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

/** Every scale of the shipped model but the last. */
const PREVIEWS = [0, 1, 2, 3, 4, 5]

const namesOf = (heard: readonly ServerEvent[]) => heard.map(({ event }) => event)
const previewsOf = (heard: readonly ServerEvent[]): Preview[] =>
  heard.flatMap(({ event, data }) =>
    event === 'snapshot' ? (data['previews'] as Preview[]) : event === 'preview' ? [data as Preview] : []
  )
const placesOf = (heard: readonly ServerEvent[]) =>
  previewsOf(heard)
    .map(({ index, scale }) => index * 100 + scale)
    .toSorted((a, b) => a - b)

const ALL_PLACES = [0, 1].flatMap((index) => PREVIEWS.map((scale) => index * 100 + scale))

const pixelsOf = async (url: string): Promise<Uint8Array> =>
  sharp(await service.client.fetchPicture(url))
    .removeAlpha()
    .raw()
    .toBuffer()

test('a followed generation shows previews that come nearer to the picture from scale to scale', async () => {
  const { urls, id } = await service.client.generate({ class_name: 'fox', seed: 3, previews: PREVIEWS })
  const heard = await hearAll(eventSource(urls.events))
  assert.equal(namesOf(heard)[0], 'snapshot')
  // It may be over before the stream is open: then the snapshot has the picture.
  const names = namesOf(heard)
  assert.deepEqual(names.slice(-2), names.length === 2 ? ['snapshot', 'end'] : ['output', 'end'])
  const generation = await service.client.read(id)
  assert.equal(generation.status, 'succeeded')
  assert.ok((generation.metrics.preview_ms ?? 0) > 0)
  assert.deepEqual(
    generation.previews.map(({ scale }) => scale),
    PREVIEWS
  )
  const picture = await pixelsOf(generation.outputs[0]?.url ?? '')
  const errors: number[] = []
  for (const { url, width, height } of previewsOf(heard).toSorted((a, b) => a.scale - b.scale)) {
    const pixels = await pixelsOf(url)
    assert.deepEqual([width, height, pixels.length], [32, 32, picture.length])
    errors.push(pixels.reduce((sum, value, at) => sum + Math.abs(value - (picture[at] ?? 0)), 0) / pixels.length)
  }
  // Neighbouring scales may differ by little, and WebP adds its own error: over the whole way it falls.
  const [first = 0, , , middle = 0, , last = 0] = errors
  assert.ok(first > middle && middle > last, errors.join(', '))
})

test('deleting a generation removes its previews', async () => {
  const { client } = service
  const { id } = await client.generate({ previews: 'auto' })
  const { previews } = await client.finish(id)
  assert.ok(previews.length > 0)
  assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
  for (const { url } of previews) assert.equal((await fetch(url)).status, 404)
})

test('a stream can be resumed after any of its events, at another API process', async () => {
  const port = String(await freePort())
  const other = `http://127.0.0.1:${port}`
  await service.startApi({ PORT: port })
  await until('the other API is ready', async () => (await fetch(`${other}/readyz`).catch(() => undefined))?.status === 200)
  const { id, urls } = await service.client.generate({ num_images: 2, previews: PREVIEWS })
  const heard: ServerEvent[] = []
  for (let turn = 0; heard.at(-1)?.event !== 'end'; turn++) {
    const url = turn % 2 === 0 ? urls.events : urls.events.replace(service.baseUrl, other)
    // One event, then the connection is given up.
    for await (const event of connectOnce(url, heard.at(-1)?.id)) {
      heard.push(event)
      break
    }
  }
  assert.deepEqual(placesOf(heard), ALL_PLACES)
  assert.deepEqual(
    namesOf(heard).filter((name) => name === 'snapshot' || name === 'output' || name === 'end'),
    ['snapshot', 'output', 'output', 'end']
  )
  const response = await service.client.send('get', `/v1/generations/${id}/events`, (sent) =>
    sent.set('last-event-id', heard.at(-1)?.id ?? '')
  )
  assert.equal(response.status, 204)
})

test('a stream goes on when the API is killed in the middle of it, and when the runner is', async () => {
  const alone = await deploy({ withRunner: true })
  try {
    const { client } = alone
    await alone.runner().end()
    const { urls } = await client.generate({ num_images: 2, previews: PREVIEWS })
    const heard: ServerEvent[] = []
    const listening = (async () => {
      for await (const event of eventSource(urls.events)) heard.push(event)
    })()
    await until('the snapshot is there', async () => heard.length > 0)
    await alone.api().end('SIGKILL')
    await alone.startApi()
    await alone.startRunner()
    await until('it is running', async () => namesOf(heard).includes('status'))
    await alone.runner().end('SIGKILL')
    await alone.startRunner()
    await listening
    assert.equal(heard.at(-1)?.data['status'], 'succeeded')
    assert.deepEqual(placesOf(heard), ALL_PLACES)
    assert.equal(namesOf(heard).filter((name) => name === 'snapshot').length, 1)
    assert.equal(namesOf(heard).filter((name) => name === 'output').length, 2)
  } finally {
    await alone.close()
  }
})

test('a stopping API ends its streams at once, and they go on at the next', async () => {
  const alone = await deploy()
  try {
    await alone.runner().end()
    const { urls } = await alone.client.generate()
    const heard: ServerEvent[] = []
    const listening = (async () => {
      for await (const event of eventSource(urls.events)) heard.push(event)
    })()
    await until('the snapshot is there', async () => heard.length > 0)
    await alone.api().end()
    await alone.startApi()
    await alone.startRunner()
    await listening
    assert.deepEqual([heard[0]?.event, heard.at(-1)?.event], ['snapshot', 'end'])
  } finally {
    await alone.close()
  }
})
