import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Generation, Model, ServiceStatus } from '@nextscale/openapi'
import { Webhook } from 'standardwebhooks'
import { type Client, createClient } from './support/client.ts'
import { copyModel } from './support/copy-model.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { readTokens } from './support/read-tokens.ts'
import { type ScriptedReceiver, startScriptedReceiver } from './support/scripted-receiver.ts'
import { until } from './support/until.ts'
import { type Recorded, restore } from './upgrade/recorded.ts'

const FOLDER = fileURLToPath(new URL('upgrade', import.meta.url))
/** A little longer than a card of a runner that was killed is believed. */
const CARD_MS = 45_000
const records = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'))
assert.notEqual(records.length, 0)

for (const name of records) {
  const recorded = JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as Recorded
  const { told } = recorded
  describe(`what ${recorded.release} left behind`, () => {
    let service: Deployment
    let client: Client
    let receiver: ScriptedReceiver
    let folder: string
    before(async () => {
      receiver = await startScriptedReceiver()
      service = await deploy({
        env: { EGRESS: 'any' },
        withRunner: false,
        prepare: (to) => restore(recorded, { ...to, webhookUrl: receiver.url })
      })
      client = createClient(service.baseUrl, told.key)
      folder = await mkdtemp(join(tmpdir(), 'nextscale-upgrade-'))
    })
    after(async () => {
      await receiver.stop()
      await service.close()
      await rm(folder, { recursive: true })
    })

    const succeed = async (id: string): Promise<Generation> => {
      const generation = await client.finish(id)
      assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
      for (const { url, bytes } of generation.outputs) assert.equal((await client.fetchPicture(url)).length, bytes)
      return generation
    }
    const modelOf = async () => (await client.send('get', '/v1/models/emoji-32')).body as Model

    test('is all there to be read', async () => {
      assert.equal((await createClient(service.baseUrl).send('get', '/v1/generations')).status, 401)
      const { data } = (await client.send('get', '/v1/generations')).body as { data: Generation[] }
      const { succeeded, draft, canceled, owed, held, waiting } = told
      assert.deepEqual(data.map(({ id }) => id).toSorted(), [succeeded, draft, canceled, owed, held, ...waiting].toSorted())
      const first = await succeed(succeeded)
      assert.deepEqual([first.label, first.metadata, first.webhook?.status], ['first', { order: '17' }, 'delivered'])
      assert.equal(first.previews.length, 6)
      await succeed(draft)
      assert.equal((await client.read(canceled)).status, 'canceled')
      const { family, width, height, capabilities } = await modelOf()
      assert.deepEqual([family, width, height, capabilities.includes('class_name')], ['var', 32, 32, true])
    })

    test('a request sent again is the one that waits', async () => {
      const { key, body } = told.idempotent
      const answer = await client.send('post', '/generate', (sent) => sent.set('idempotency-key', key).send(body))
      assert.deepEqual([answer.status, (answer.body as Generation).id], [202, told.waiting[0]])
    })

    test('what is owed to a receiver reaches it, signed with its secret', async () => {
      const [request] = await until('it is told', async () => receiver.about(told.owed).length > 0 && receiver.about(told.owed))
      assert.ok(request)
      const event = new Webhook(told.webhookSecret).verify(request.text, request.headers as Record<string, string>)
      assert.equal((event as { type: string }).type, 'generation.succeeded')
    })

    test('a runner of another revision leaves what waits alone, and who asks is told why', async () => {
      const other = await copyModel(folder, 'emoji-32', { revision: 'another' })
      await service.startRunner({ MODELS: other })
      const ids = [told.held, ...told.waiting]
      // The runner that was killed is believed to be there until its card is old.
      await until(
        'all of it is put aside',
        async () => {
          const found = await Promise.all(ids.map((id) => client.read(id)))
          return found.every(
            ({ status, queue }) => status === 'queued' && /waits for a runner that serves revision/.test(queue?.message ?? '')
          )
        },
        CARD_MS
      )
      const { model_revision: revision } = (await client.read(told.held)).input
      await until(
        'the status lists it',
        async () => {
          const { unserved } = (await client.send('get', '/status')).body as ServiceStatus
          return isDeepStrictEqual(unserved, [{ model: 'emoji-32', revision, waiting: ids.length }])
        },
        CARD_MS
      )
      const refused = await client.send('post', `/v1/generations/${told.draft}/continue`, (sent) => sent.send({}))
      assert.equal(refused.status, 409, JSON.stringify(refused.body))
      const { id } = await client.generate({ seed: 9 })
      assert.equal((await succeed(id)).input.model_revision, 'another')
      await service.runner().end()
    })

    test('a runner of its revision makes what waits', async () => {
      await service.startRunner()
      const [held] = await Promise.all([told.held, ...told.waiting].map(succeed))
      assert.equal(held?.outputs.length, 16)
      await until('its end is announced', async () => receiver.about(told.waiting[1] ?? '').length === 1)
    })

    test('a draft goes on to the picture that its settings give today', async () => {
      // An API process may know of a runner half a second late.
      const continued = await until('the draft is taken up', async () => {
        const path = `/v1/generations/${told.draft}/continue`
        const answer = await client.send('post', path, (sent) => sent.send({ return_tokens: true }))
        return answer.status === 202 && (answer.body as Generation)
      })
      const model = await modelOf()
      const tokensOf = ({ outputs: [output] }: Generation) => readTokens(output?.tokens_url ?? null, model)
      const whole = await succeed(continued.id)
      const again = await succeed((await client.generate({ class_name: 'fox', seed: 7, return_tokens: true })).id)
      const before = await succeed(told.succeeded)
      assert.deepEqual(await tokensOf(whole), await tokensOf(again))
      assert.deepEqual(await tokensOf(before), await tokensOf(again))
    })

    test('it is deleted as anything is', async () => {
      for (const id of [told.succeeded, told.canceled, told.held])
        assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
      const left = (await readdir(join(service.objects, 'generations'))).filter((id) => id === told.succeeded || id === told.held)
      assert.deepEqual(left, [])
    })
  })
}
