import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '@nextscale/platform/config'
import { assertSettingsBehindTheApi, assertSharedSettings } from '@nextscale/platform/testing'
import { readConfig } from './config.ts'

test('with nothing set there is a usable configuration', () => {
  const config = readConfig({})
  assert.match(config.models[0] ?? '', /models\/emoji-32$/)
  assert.equal(config.concurrency, 2 * config.maxBatch)
  assert.ok(Object.isFrozen(config))
})

test('a batch gathers for ten milliseconds, and 0 turns that off', () => {
  assert.equal(readConfig({}).batchWindowMs, 10)
  assert.equal(readConfig({ BATCH_WINDOW_MS: '0' }).batchWindowMs, 0)
})

test('what other processes have as well is read as they read it', () => {
  assertSharedSettings(readConfig)
  assertSettingsBehindTheApi(readConfig)
})

test('what models may take in memory is a size in any usual unit; unset it has no limit', () => {
  const read = (MODELS_MEMORY: string) => readConfig({ MODELS_MEMORY }).modelsMemory
  // Too small for any model, which is said once it is known how large they are.
  assert.equal(read('0.00001GB'), 10_000)
  assert.deepEqual(['', '500MB', '8 GB', '1.5GiB', '64kb', '7B'].map(read), [undefined, 500e6, 8e9, 1.5 * 2 ** 30, 64_000, 7])
})

test('models in a bucket are addresses, reached as the store is; others read nothing of it', () => {
  const read = (env: Record<string, string>) => readConfig({ S3_ENDPOINT: 'http://minio:9000', ...env })
  const { models, modelBuckets } = read({ MODELS: 's3://models/a/, /b', MODELS_CACHE_DIR: '/cache', S3_REGION: 'eu-north-1' })
  assert.deepEqual(models, ['s3://models/a', '/b'])
  const access = { endpoint: 'http://minio:9000', region: 'eu-north-1', forcePathStyle: true }
  assert.deepEqual(modelBuckets, { cache: '/cache', access })
  assert.match(read({ MODELS: 's3://models/a' }).modelBuckets?.cache ?? '', /\.nextscale\/models$/)
  assert.equal(readConfig({ MODELS: '/b', S3_ENDPOINT: 'minio' }).modelBuckets, undefined)
})

test('several model folders are separated by commas', () => {
  assert.deepEqual(readConfig({ MODELS: '/a, /b,' }).models, ['/a', '/b'])
  // Wherever it is started, the folder that is shipped here is found by its documented name.
  const shipped = resolve(import.meta.dirname, '../models/emoji-32')
  assert.deepEqual(readConfig({ MODELS: 'models/emoji-32,models/none' }).models, [shipped, resolve('models/none')])
})

const refused: [Record<string, string>, RegExp][] = [
  [{ MAX_BATCH: '0' }, /MAX_BATCH must be an integer from 1 to 256, not "0"/],
  [{ BATCH_WINDOW_MS: '-1' }, /BATCH_WINDOW_MS must be an integer from 0 to 1000, not "-1"/],
  [{ THREADS: 'two' }, /THREADS must be an integer/],
  [{ MODELS_MEMORY: '8' }, /^MODELS_MEMORY must be a size with its unit, such as 500MB, 8GB or 1\.5GiB, not "8"\.$/],
  [
    { MODELS: 's3://models/a?b' },
    /^MODELS has "s3:\/\/models\/a\?b", which is not the address of a model: it is written s3:\/\/bucket\/prefix, and the prefix must /
  ],
  [{ MODELS: 's3://models/a', S3_ENDPOINT: 'minio' }, /^S3_ENDPOINT must be an absolute URL/],
  [{ MODELS_MEMORY: '-1GB' }, /^MODELS_MEMORY must be a size/],
  [{ MODELS_MEMORY: '0GB' }, /^MODELS_MEMORY is "0GB", which is too small: set it to /],
  [{ MODELS_MEMORY: '0.000B' }, /^MODELS_MEMORY is "0\.000B", which is too small: set it to /],
  [{ MODELS_MEMORY: '0.0000000001GB' }, /^MODELS_MEMORY is "0\.0000000001GB", which is too small: set it to more, such as /],
  [{ MODELS_MEMORY: '1e3MB' }, /^MODELS_MEMORY must be a size/],
  [{ MODELS_MEMORY: '8GBytes' }, /^MODELS_MEMORY must be a size/],
  [{ MODELS_MEMORY: '999999999999TB' }, /^MODELS_MEMORY is "999999999999TB", which is too large: set it to less, /]
]
for (const [env, sentence] of refused) {
  test(`${JSON.stringify(env)} is refused with what to set`, () => {
    assert.throws(
      () => readConfig(env),
      (error: unknown) => error instanceof ConfigError && sentence.test(error.message)
    )
  })
}

test('a CPU runner computes step by step with a cache; precision is the model’s unless set', () => {
  const form = readConfig({}).sampler
  assert.ok(form.form === 'step' && form.precision === null)
  assert.match(form.cache ?? '', /\.nextscale\/cache$/)
  const set = readConfig({ PRECISION: 'int8', CACHE_DIR: 'none', THREADS: '3' }).sampler
  assert.deepEqual(set, { form: 'step', precision: 'int8', cache: null, threads: 3 })
})

test('CUDA runs all scales at once, in fp16, at batch sizes that end with the largest', () => {
  const cuda = (env: Record<string, string>) => readConfig({ EXECUTION_PROVIDER: 'cuda', ...env }).sampler
  assert.deepEqual(cuda({ MAX_BATCH: '12' }), { form: 'fused', provider: 'cuda', float: 'float16', ladder: [1, 2, 4, 8, 12] })
  assert.deepEqual(cuda({ MAX_BATCH: '6', BATCH_LADDER: '2,6', PRECISION: 'fp32' }), {
    form: 'fused',
    provider: 'cuda',
    float: 'float',
    ladder: [2, 6]
  })
  for (const BATCH_LADDER of ['4,2,16', '1,2', 'x', '0,16']) {
    assert.throws(() => cuda({ BATCH_LADDER }), /BATCH_LADDER must be growing integers that end with MAX_BATCH \(16\)/)
  }
  assert.throws(() => cuda({ PRECISION: 'int8' }), /PRECISION must be one of fp16, fp32/)
  assert.throws(() => readConfig({ PRECISION: 'fp16' }), /PRECISION must be one of fp32, int8/)
})
