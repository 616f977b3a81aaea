import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from './config.ts'

test('with nothing set there is a usable configuration', () => {
  const config = readConfig({})
  assert.match(config.models[0] ?? '', /models\/emoji-32$/)
  assert.equal(config.store.kind, 'disk')
  assert.equal(config.concurrency, 2 * config.maxBatch)
  assert.ok(Object.isFrozen(config))
})

test('a batch gathers for ten milliseconds, and 0 turns that off', () => {
  assert.equal(readConfig({}).batchWindowMs, 10)
  assert.equal(readConfig({ BATCH_WINDOW_MS: '0' }).batchWindowMs, 0)
})

test('a bucket selects S3; an endpoint turns path style on unless told otherwise', () => {
  const store = (env: Record<string, string>) => readConfig({ S3_BUCKET: 'pictures', ...env }).store
  assert.deepEqual(store({}), {
    kind: 's3',
    bucket: 'pictures',
    endpoint: undefined,
    region: 'us-east-1',
    forcePathStyle: false,
    prefix: ''
  })
  const own = store({ S3_ENDPOINT: 'http://127.0.0.1:9000', S3_PREFIX: 'a/b' })
  assert.ok(own.kind === 's3' && own.forcePathStyle && own.prefix === 'a/b/')
})

test('several model folders are separated by commas', () => {
  assert.deepEqual(readConfig({ MODELS: '/a, /b,' }).models, ['/a', '/b'])
})

const refused: [Record<string, string>, RegExp][] = [
  [{ MAX_BATCH: '0' }, /MAX_BATCH must be an integer from 1 to 256, not "0"/],
  [{ BATCH_WINDOW_MS: '-1' }, /BATCH_WINDOW_MS must be an integer from 0 to 1000, not "-1"/],
  [{ THREADS: 'two' }, /THREADS must be an integer/],
  [{ REDIS_URL: 'http://x' }, /REDIS_URL must look like redis:/],
  [{ REDIS_URL: 'redis://u:%ZZ@x' }, /REDIS_URL has a "%" that is not percent-encoding/],
  [{ REDIS_PREFIX: '{a}' }, /REDIS_PREFIX may have/],
  [{ S3_BUCKET: 'b', S3_ENDPOINT: 'nowhere' }, /S3_ENDPOINT must be a URL/],
  [{ S3_BUCKET: 'b', S3_FORCE_PATH_STYLE: 'yes' }, /S3_FORCE_PATH_STYLE must be one of true, false/],
  [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL must be one of/]
]
for (const [env, sentence] of refused) {
  test(`${JSON.stringify(env)} is refused with what to set`, () => {
    assert.throws(
      () => readConfig(env),
      (error: unknown) => error instanceof ConfigError && sentence.test(error.message)
    )
  })
}
