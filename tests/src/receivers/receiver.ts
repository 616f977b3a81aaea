import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fastify from 'fastify'
import { Nextscale, verifyWebhook, type WebhookEvent, WebhookVerificationError } from '@nextscale/sdk/source'

const secrets = (process.env['WEBHOOK_SECRETS'] ?? '').split(',').filter(Boolean) // While one replaces another, both.
if (secrets.length === 0) throw new Error('Set WEBHOOK_SECRETS to what `nextscale webhooks secret` prints.')
const folder = process.env['PICTURES'] ?? 'pictures'
const client = new Nextscale({ baseUrl: process.env['NEXTSCALE_URL'] ?? 'http://localhost:8080' })

await mkdir(folder, { recursive: true })
const database = new DatabaseSync(join(folder, 'webhooks.db'))
database.exec('CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY, event TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)')
const insert = database.prepare('INSERT OR IGNORE INTO webhooks (id, event) VALUES (?, ?)')
const finish = database.prepare('UPDATE webhooks SET done = 1 WHERE id = ?')
const unfinished = database.prepare('SELECT id, event FROM webhooks WHERE done = 0')

const stored = (text: unknown) => JSON.parse(String(text)) as WebhookEvent

const handle = async (event: WebhookEvent): Promise<void> => {
  switch (event.type) {
    case 'generation.succeeded':
      for (const output of event.data.outputs) {
        const path = join(folder, `${event.data.id}-${output.index}.${output.content_type.replace('image/', '')}`)
        await writeFile(path, await client.download(output))
        console.log(`saved ${path}`)
      }
      break
    case 'generation.failed':
    case 'generation.canceled':
    case 'generation.expired':
      console.log(`no picture: ${event.data.id} is ${event.data.status}`)
      break
    default: // The test event, events on the way, and what newer servers send.
      console.log(`nothing to do for ${event.type}`)
  }
}

/** What is not done when this ends, or fails, is done at the next start. */
const work = async (id: string, event: WebhookEvent): Promise<void> => {
  try {
    await handle(event)
    finish.run(id)
  } catch (error) {
    console.error(`not done: ${id}`, error)
  }
}

const app = fastify()
// The signature is of the bytes as they came: JSON that was parsed and written anew has others.
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.post<{ Body: Buffer }>('/', async (request, reply) => {
  try {
    const { id, event } = await verifyWebhook(request.body, request.headers, secrets)
    // Kept before it is answered for; the same delivery once only.
    const isNew = insert.run(id, JSON.stringify(event)).changes === 1
    console.log(`${isNew ? 'took' : 'had'} ${id} ${event.type}`)
    if (isNew) void work(id, event)
    return reply.code(204).send()
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error
    console.log(`refused: ${error.message}`)
    return reply.code(400).send()
  }
})

for (const { id, event } of unfinished.all()) void work(String(id), stored(event))
console.log(`listening at ${await app.listen({ port: Number(process.env['PORT'] ?? 3000) })}/`)
