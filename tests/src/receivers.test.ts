import type { Generation } from '@nextscale/openapi'
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type Receiver, RECEIVER_FILES, type ReceiverLanguage, startReceiver } from './support/receiver.ts'

const GUIDE = new URL('../../docs/webhooks.md', import.meta.url)

const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`
const [OLD, SECRET] = [newSecret(), newSecret()]
const PICTURE = randomBytes(5000)

interface Sent {
  id?: string
  body: string
  secrets?: readonly string[]
  at?: Date
}

/** Sends as services do, signed by the reference implementation of Standard Webhooks. */
const send = async (receiver: Receiver, { id = `whd_${randomUUID()}`, body, secrets = [SECRET], at = new Date() }: Sent) => {
  const signature = secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' ')
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signature
  }
  const { status } = await fetch(receiver.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) })
  return { id, status }
}

const testEvent = (type = 'webhook.test') =>
  JSON.stringify({ type, timestamp: new Date().toISOString(), data: { message: 'Füchslein' } })

const readExample = async (type: string): Promise<{ type: string; timestamp: string; data: Generation }> => {
  const text = await readFile(new URL(import.meta.resolve('@nextscale/openapi/openapi.json')), 'utf8')
  const { components } = JSON.parse(text) as {
    components: { pathItems: Record<string, { post: { requestBody: { content: { 'application/json': { example: never } } } } }> }
  }
  const example = components.pathItems[type]?.post.requestBody.content['application/json'].example
  assert.ok(example)
  return example
}

/** Serves pictures, until it is told to keep those who ask waiting. */
const startStore = async () => {
  const store = { url: '', asked: 0, isHeld: false, server: undefined as Server | undefined }
  store.server = createServer((_request, response) => {
    store.asked++
    if (!store.isHeld) response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE)
  }).listen(0, '127.0.0.1')
  await once(store.server, 'listening')
  store.url = `http://127.0.0.1:${(store.server.address() as AddressInfo).port}`
  return store
}
type Store = Awaited<ReturnType<typeof startStore>>

/** A generation that has succeeded, with a picture at the store. */
const succeeded = async (store: Store) => {
  const event = await readExample('generation.succeeded')
  const id = `gen_${randomBytes(26).toString('hex').slice(0, 26)}`
  const [output] = event.data.outputs
  assert.ok(output)
  const sha256 = createHash('sha256').update(PICTURE).digest('hex')
  const outputs = [{ ...output, url: `${store.url}/${id}/0.png`, bytes: PICTURE.length, sha256 }]
  return { name: `${id}-0.png`, body: JSON.stringify({ ...event, data: { ...event.data, id, outputs } }) }
}

it('docs/webhooks.md shows the receivers as they are run here', async () => {
  const guide = await readFile(GUIDE, 'utf8')
  for (const [language, path] of Object.entries(RECEIVER_FILES)) {
    // The package has to be built for its own name; these tests run its source.
    const shown = (await readFile(path, 'utf8')).replace("'@nextscale/sdk/source'", "'@nextscale/sdk'")
    assert.ok(guide.includes(`\n\`\`\`${language === 'python' ? 'python' : 'ts'}\n${shown}\`\`\`\n`), path)
  }
})

for (const language of Object.keys(RECEIVER_FILES) as ReceiverLanguage[]) {
  describe(`the ${language} receiver of docs/webhooks.md`, () => {
    let store: Store
    let receiver: Receiver
    before(async () => {
      store = await startStore()
      receiver = await startReceiver(language, { secrets: [SECRET], nextscaleUrl: store.url })
    })
    after(async () => {
      await receiver.close()
      store.server?.closeAllConnections()
      store.server?.close()
    })

    it('takes what is signed, and saves the picture', async () => {
      const { name, body } = await succeeded(store)
      const { id, status } = await send(receiver, { body })
      assert.equal(status, 204)
      await receiver.printed(`saved ${join(receiver.folder, name)}`)
      assert.ok(receiver.output().includes(`took ${id} generation.succeeded`))
      assert.deepEqual(await readFile(join(receiver.folder, name)), PICTURE)
    })

    it('works once on what comes twice', async () => {
      const { name, body } = await succeeded(store)
      const asked = store.asked
      const { id } = await send(receiver, { body })
      await receiver.printed(`saved ${join(receiver.folder, name)}`)
      assert.equal((await send(receiver, { id, body })).status, 204)
      await receiver.printed(`had ${id}`)
      // A second download would have begun by the time of what comes after it.
      const { id: later } = await send(receiver, { body: testEvent('webhook.later') })
      await receiver.printed('nothing to do for webhook.later')
      assert.ok(receiver.output().includes(`took ${later}`))
      assert.equal(store.asked, asked + 1)
    })

    it('says what has no picture, and takes what it does not know', async () => {
      const failed = await readExample('generation.failed')
      assert.equal((await send(receiver, { body: JSON.stringify(failed) })).status, 204)
      await receiver.printed(`no picture: ${failed.data.id} is failed`)
      assert.equal((await send(receiver, { body: testEvent('generation.dreamt') })).status, 204)
      await receiver.printed('nothing to do for generation.dreamt')
    })

    const minutes = (count: number) => new Date(Date.now() + count * 60_000)
    const refusals: [name: string, sent: () => Omit<Sent, 'body'>][] = [
      ['is signed with another secret', () => ({ secrets: [newSecret()] })],
      ['is not signed', () => ({ secrets: [] })],
      ['is old', () => ({ at: minutes(-6) })],
      ['is of the future', () => ({ at: minutes(6) })]
    ]
    for (const [name, sent] of refusals) {
      it(`refuses what ${name}`, async () => {
        const { id, status } = await send(receiver, { body: testEvent(), ...sent() })
        assert.equal(status, 400)
        assert.ok(!receiver.output().includes(id))
        // It was not kept either: the same id, well signed, is new.
        assert.equal((await send(receiver, { id, body: testEvent() })).status, 204)
        await receiver.printed(`took ${id}`)
      })
    }

    it('takes what is signed with two secrets while it knows one of them, and with one while it knows two', async () => {
      assert.equal((await send(receiver, { body: testEvent(), secrets: [OLD, SECRET] })).status, 204)
      await receiver.restart('SIGTERM', [SECRET, OLD])
      assert.equal((await send(receiver, { body: testEvent(), secrets: [OLD] })).status, 204)
      assert.equal((await send(receiver, { body: testEvent(), secrets: [SECRET] })).status, 204)
      await receiver.restart('SIGTERM')
      assert.equal((await send(receiver, { body: testEvent(), secrets: [OLD] })).status, 400)
    })

    it('saves the picture after all when it was killed before that', async () => {
      const { name, body } = await succeeded(store)
      store.isHeld = true
      const { id } = await send(receiver, { body })
      await receiver.printed(`took ${id}`)
      await receiver.restart('SIGKILL')
      store.isHeld = false
      await receiver.restart('SIGKILL')
      await receiver.printed(`saved ${join(receiver.folder, name)}`)
      assert.equal((await send(receiver, { id, body })).status, 204)
      await receiver.printed(`had ${id}`)
      assert.ok((await readdir(receiver.folder)).includes(name))
    })
  })
}
