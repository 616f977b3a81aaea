import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getGenerationEvents, listModels, type Operation } from '@nextscale/openapi'
import { fastify } from 'fastify'
import { noStreams } from './no-streams.ts'
import { problems } from './problems.ts'

const events: Operation = getGenerationEvents
const models: Operation = listModels

test('where nothing can be streamed, events are refused with the way to poll, and nothing else is', async () => {
  const app = fastify()
  await app.register(problems, { bodyLimitBytes: 1 })
  await app.register(noStreams, { maxWaitSeconds: 25 })
  app.get('/events', { config: { operation: events } }, async () => 'stream')
  app.get('/models', { config: { operation: models } }, async () => 'models')
  const refused = await app.inject('/events')
  assert.equal(refused.statusCode, 406)
  assert.equal(refused.json().code, 'not_acceptable')
  assert.match(refused.json().detail, /\?wait=25/)
  assert.equal((await app.inject('/models')).body, 'models')
})
