import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Operation, operations } from '@nextscale/openapi'
import { fastify } from 'fastify'
import { readConfig } from '../config.ts'
import { fastifyPath } from '../http/operation.ts'
import { problems } from '../http/problems.ts'
import { closeServices, openServices } from '../services.ts'
import { routes } from './index.ts'

const named = (operation: Operation) => `${operation.method} ${fastifyPath(operation.path)} ${operation.operationId}`

/** Routes as registered, without the HEAD that comes with every GET. */
const registeredRoutes = async (): Promise<string[]> => {
  const app = fastify()
  const found: string[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    if (method !== 'HEAD') found.push(`${String(method)} ${url} ${config?.operation?.operationId}`)
  })
  const services = await openServices(readConfig({ LINK_SECRET: 'x'.repeat(32) }), app.log)
  await app.register(problems, { bodyLimitBytes: 1024 })
  await app.register(routes, { services })
  await app.ready()
  await app.close()
  await closeServices(services)
  return found
}

test('the routes are the operations of the contract, no more and no less', async () => {
  assert.deepEqual((await registeredRoutes()).toSorted(), operations.map(named).toSorted())
})
