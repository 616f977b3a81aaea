import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildApp } from './build-app.ts'
import { readConfig } from './config.ts'
import { loggedError } from '@nextscale/platform/observe'
import { collect, openTestApp } from './testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

test('a password that Redis refuses is in no line of the log', async () => {
  const context = await openTestApp()
  await context.redis.config('SET', 'requirepass', 'right-password')
  try {
    for (const user of ['', 'somebody']) {
      const lines: string[] = []
      const { port } = context.server
      const config = readConfig({
        REDIS_URL: `redis://${user}:wrong-secret@127.0.0.1:${port}`,
        OBJECT_DIR: context.directory,
        LOG_LEVEL: 'trace'
      })
      const app = await buildApp(config, { logStream: collect(lines) })
      await until('the refusal', () => lines.some((line) => line.includes('WRONGPASS')))
      for (const url of ['/readyz', '/generations', '/models']) assert.equal((await app.inject(url)).statusCode, 503)
      await app.close()
      assert.doesNotMatch(lines.join(''), /wrong-secret/)
    }
  } finally {
    await context.close()
  }
})

test('an error is logged with its message, stack, code and causes, and without what else it carries', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'E', command: { args: ['secret'] } })
  const logged = loggedError(Object.assign(new Error('outer', { cause }), { command: { args: ['secret'] } }))
  assert.match(logged.stack, /logged-error\.test/)
  assert.equal(logged.message, 'outer')
  assert.equal(logged.cause?.type, 'TypeError')
  assert.equal(logged.cause?.code, 'E')
  assert.doesNotMatch(JSON.stringify(logged), /secret/)
})

test('causes that go in a circle end', () => {
  const error = new Error('round')
  error.cause = error
  assert.match(JSON.stringify(loggedError(error)), /round/)
  assert.equal(loggedError('text').message, 'text')
})
