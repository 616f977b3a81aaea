import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StartError } from './start-error.ts'
import { readPools } from './pools.ts'

test('without POOLS there is one runner, as it is set', () => {
  for (const env of [{}, { POOLS: '' }, { POOLS: ' ' }, { POOL: 'art' }])
    assert.deepEqual(readPools(env, 8), [{ name: 'runner', env: {} }])
})

test('what follows the first "=" is model folders as MODELS has them', () => {
  const modelsOf = (POOLS: string) => readPools({ POOLS }, 1).map(({ env }) => env['MODELS'])
  assert.deepEqual(modelsOf('a=s3://b-1/run=3; b = models/x=1,/y==2 ;c==z'), ['s3://b-1/run=3', 'models/x=1,/y==2', '=z'])
})

test('the ports of metrics that follow from METRICS_PORT are ports', () => {
  const portsOf = (METRICS_PORT: string) => readPools({ POOLS: 'a;b', METRICS_PORT }, 1).map(({ env }) => env['METRICS_PORT'])
  assert.deepEqual(portsOf('65534'), ['65534', '65535'])
  // The runner, which inherits it, says what is wrong with one that is no port.
  assert.deepEqual(portsOf('9e3'), [undefined, undefined])
  assert.throws(
    () => portsOf('65535'),
    (error) =>
      error instanceof StartError &&
      /^METRICS_PORT is 65535, and POOLS names 2 pools, .*: set METRICS_PORT to 65534 or less\.$/.test(error.message)
  )
})

test('each pool has a runner of its own, with its models, its share of the cores and its port', () => {
  const env = { POOLS: 'small=models/a; large = models/b,models/c ;default', METRICS_PORT: '9100', MODELS: 'models/d' }
  assert.deepEqual(readPools(env, 8), [
    { name: 'runner-small', env: { POOL: 'small', MODELS: 'models/a', THREADS: '2', METRICS_PORT: '9100' } },
    { name: 'runner-large', env: { POOL: 'large', MODELS: 'models/b,models/c', THREADS: '2', METRICS_PORT: '9101' } },
    { name: 'runner-default', env: { POOL: 'default', THREADS: '2', METRICS_PORT: '9102' } }
  ])
  assert.deepEqual(readPools({ POOLS: 'a;b;c', THREADS: '4' }, 2)[0]?.env, { POOL: 'a' })
  assert.deepEqual(readPools({ POOLS: 'a;b;c' }, 2)[0]?.env, { POOL: 'a', THREADS: '1' })
  assert.deepEqual(readPools({ POOLS: 'a' }, 2)[0]?.env, { POOL: 'a' })
})

for (const [POOLS, sentence] of [
  [
    'Art',
    /POOLS has a pool "Art": a name must be 1 to 32 lower-case letters, digits and "-" that do not begin with "-", as in POOLS="/
  ],
  ['-a', /POOLS has a pool "-a": a name must be 1 to 32/],
  [' ; ; ', /^POOLS is " ; ; ", which names no pool: name some as in POOLS=".*", or unset it for one runner\.$/],
  [';', /^POOLS is ";", which names no pool/],
  ['=models/a', /POOLS has a pool ""/],
  ['a=', /POOLS has the entry "a="/],
  ['a;b;a', /POOLS names a twice/]
] as const) {
  test(`POOLS="${POOLS}" is refused in a sentence`, () => {
    assert.throws(
      () => readPools({ POOLS }),
      (error: Error) => {
        assert.ok(error instanceof StartError)
        assert.match(error.message, sentence)
        return true
      }
    )
  })
}

test('a pool for this runner and pools for those that are started are not both set', () => {
  assert.throws(() => readPools({ POOL: 'a', POOLS: 'b' }), /POOL and POOLS are both set/)
})
