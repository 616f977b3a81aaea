import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type GenerationEvent, GenerationFailed, Nextscale, NextscaleError } from '@nextscale/sdk/source'
import { type Deployment, deploy } from '../support/deployment.ts'

describe('the TypeScript SDK', () => {
  let service: Deployment
  let client: Nextscale
  before(async () => {
    service = await deploy()
    client = new Nextscale({ baseUrl: service.baseUrl })
  })
  after(() => service.close())

  it('makes a picture and downloads it', async () => {
    const generation = await client.generateAndWait({ class_name: 'fox', seed: 7, num_images: 2 })
    assert.equal(generation.outputs.length, 2)
    for (const output of generation.outputs) {
      const bytes = await client.download(output)
      assert.equal(createHash('sha256').update(bytes).digest('hex'), output.sha256)
    }
  })

  it('makes the same pictures alone as together', async () => {
    const [alone, together] = await Promise.all([
      client.generateAndWait({ class_name: 'fox', seed: 8 }),
      client.generateAndWait({ class_name: 'fox', seed: 7, num_images: 2 })
    ])
    assert.equal(alone.outputs[0]?.sha256, together.outputs[1]?.sha256)
  })

  it('downloads by a fresh link when the old one has run out', async () => {
    const { outputs } = await client.generateAndWait({ seed: 1 })
    const [output] = outputs
    assert.ok(output)
    const stale = new URL(output.url)
    stale.searchParams.set('expires', '1')
    assert.equal((await client.download({ ...output, url: stale.href })).length, output.bytes)
  })

  it('makes one generation of one key, however often it is sent', async () => {
    const options = { idempotencyKey: crypto.randomUUID() }
    const first = await client.generate({ seed: 3 }, options)
    assert.equal((await client.generate({ seed: 3 }, options)).id, first.id)
    await assert.rejects(client.generate({ seed: 4 }, options), { code: 'idempotency_mismatch', status: 422 })
  })

  it('reads, lists, cancels and deletes', async () => {
    const label = 'sdk'
    const made = [
      await client.generateAndWait({ label }),
      await client.generateAndWait({ label }),
      await client.generateAndWait({ label })
    ]
    const listed: string[] = []
    for await (const { id } of client.list({ label, limit: 1 })) listed.push(id)
    assert.deepEqual(listed, made.map(({ id }) => id).toReversed())
    const [first] = listed
    assert.ok(first)
    assert.equal((await client.cancel(first)).status, 'succeeded')
    await client.delete(first)
    await assert.rejects(client.get(first), { code: 'generation_gone', status: 410 })
  })

  it('says what is wrong with a request', async () => {
    await assert.rejects(client.generate({ class_name: 'foks' }), (error) => {
      assert.ok(error instanceof NextscaleError)
      assert.deepEqual([error.code, error.status, error.retryable], ['unknown_class', 422, false])
      assert.equal(error.errors[0]?.pointer, '/class_name')
      return /fox/.test(error.detail) && error.requestId !== null
    })
  })

  it('finds models and classes', async () => {
    const [model] = await client.models.list()
    assert.deepEqual(await client.models.get(model?.id ?? ''), model)
    const classes = await client.models.classes(model?.id ?? '', 'fox')
    assert.deepEqual(
      classes.map(({ name }) => name),
      ['fox']
    )
    assert.equal((await client.models.classes(model?.id ?? '')).length, model?.num_classes)
  })

  it('reads the capacity', async () => assert.equal((await client.status()).accepting, true))

  it('follows a generation from its snapshot to its end, each event once', async () => {
    const { id } = await client.generate({ previews: 'auto' })
    const heard: GenerationEvent[] = []
    for await (const event of client.events(id)) heard.push(event)
    const [first, ...later] = heard
    assert.equal(first?.event, 'snapshot')
    const ids = later.map((event) => event.id).filter((each) => each !== first.id)
    assert.equal(new Set(ids).size, ids.length)
    const last = heard.at(-1)
    assert.ok(last?.event === 'end')
    assert.equal(last.data.status, 'succeeded')
  })

  it('tells of every preview, coarse to fine, and every output, whenever the stream was opened', async () => {
    const { id } = await client.generate({ previews: 'auto', num_images: 2 })
    const picturesOf = async () => {
      const heard: string[] = []
      for await (const { event, data } of client.events(id)) {
        if (event === 'preview') heard.push(`${data.index} ${data.scale}`)
        if (event === 'output') heard.push(`${data.index}`)
      }
      return heard
    }
    const live = await picturesOf()
    const scales = (await client.get(id)).previews.map(({ scale }) => scale).toSorted((one, other) => one - other)
    assert.equal(scales.length, 6)
    const ended = [...scales.map((scale, place) => `${place % 2} ${scale}`), '0', '1']
    assert.deepEqual(await picturesOf(), ended)
    assert.deepEqual(live.toSorted(), ended.toSorted())
  })

  it('goes on after the event it has', async () => {
    const { id } = await client.generateAndWait({ previews: 'auto' })
    const heard: GenerationEvent[] = []
    for await (const event of client.events(id)) heard.push(event)
    const again: string[] = []
    for await (const { event } of client.events(id, { lastEventId: heard[0]?.id })) again.push(event)
    assert.deepEqual(again, ['end'])
    for await (const event of client.events(id, { lastEventId: heard.at(-1)?.id }))
      assert.fail(`${event.event} came after the end`)
  })

  it('takes a draft to full size, the same picture as at once', async () => {
    const settings = { class_name: 'fox', seed: 11 }
    const [draft, whole] = [
      await client.generateAndWait({ ...settings, stop_at_scale: 2 }),
      await client.generateAndWait(settings)
    ]
    const continued = await client.continue(draft.id, { stop_at_scale: null })
    assert.equal((await client.wait(continued.id)).outputs[0]?.sha256, whole.outputs[0]?.sha256)
    const varied = await client.continue(whole.id, { keep_scales: 2, seed: 12 })
    assert.notEqual((await client.wait(varied.id)).outputs[0]?.sha256, whole.outputs[0]?.sha256)
  })

  it('waits through a restart of the API, and tells of a cancellation', async () => {
    await service.runner().end()
    const { id } = await client.generate({ label: 'waits' })
    const patient = new Nextscale({ baseUrl: service.baseUrl, maxRetries: 8 })
    const waited = patient.wait(id)
    // Its outcome is looked at below; a rejection meanwhile is none that nobody handles.
    waited.catch(() => undefined)
    await service.api().end()
    await service.startApi()
    await client.cancel(id)
    await assert.rejects(waited, (error) => error instanceof GenerationFailed && error.generation.status === 'canceled')
    await service.startRunner()
  })
})
