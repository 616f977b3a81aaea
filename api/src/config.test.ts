import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSettingsBehindTheApi, assertSharedSettings } from '@nextscale/platform/testing'
import { readConfig } from './config.ts'
import { readControlConfig } from './control/config.ts'

const messageOf = (env: Record<string, string>): string => {
  try {
    readConfig(env)
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
  return ''
}

test('with nothing set, the API listens on loopback', () => {
  const config = readConfig({})
  assert.deepEqual([config.host, config.port], ['127.0.0.1', 8080])
  assert.ok(Object.isFrozen(config))
})

test('what other processes have as well is read as they read it', () => {
  assertSharedSettings(readConfig)
  assertSharedSettings(readControlConfig)
  assertSettingsBehindTheApi(readControlConfig)
})

test('a bad value is named in a sentence that says what is taken', () => {
  assert.equal(messageOf({ PORT: 'abc' }), 'PORT must be an integer from 1 to 65535, not "abc".')
  assert.equal(messageOf({ PORT: '70000' }), 'PORT must be an integer from 1 to 65535, not "70000".')
  assert.match(messageOf({ PUBLIC_URL: 'example.org' }), /^PUBLIC_URL must be an absolute URL/)
})

test('a URL that paths are put after has nothing else after it, and no password', () => {
  for (const name of ['PUBLIC_URL', 'S3_ENDPOINT', 'S3_PUBLIC_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    const env = { S3_BUCKET: 'pictures' }
    for (const [text, wrong] of [
      ['https://example.com?x=1', 'a query'],
      ['https://example.com/a?', 'a query'],
      ['https://example.com/#a', 'a fragment'],
      ['https://example.com/a#', 'a fragment'],
      ['https://user:hunter2@example.com', 'a user name or password'],
      ['https://hunter2@example.com', 'a user name or password']
    ] as const)
      assert.equal(messageOf({ ...env, [name]: text }), `${name} has ${wrong}, and paths are put after it: leave that out.`)
    for (const text of [
      'https://exam ple.com',
      'https://example.com/a b',
      'https://exam\nple.com',
      'ftp://example.com',
      '//example.com'
    ])
      assert.match(messageOf({ ...env, [name]: text }), new RegExp(`^${name} must be an absolute URL`), text)
  }
  assert.equal(readConfig({ PUBLIC_URL: 'https://Example.com:443/ai/images//' }).publicUrl, 'https://example.com/ai/images')
})

test('CORS_ORIGINS names origins as browsers write them, and no page is let in unless it does', () => {
  assert.deepEqual(readConfig({}).corsOrigins, [])
  assert.equal(readConfig({ CORS_ORIGINS: '*' }).corsOrigins, '*')
  assert.deepEqual(readConfig({ CORS_ORIGINS: 'https://app.example, http://localhost:3000,http://[::1]:8' }).corsOrigins, [
    'https://app.example',
    'http://localhost:3000',
    'http://[::1]:8'
  ])
  for (const [text, meant] of [
    ['https://app.example/', 'https://app.example'],
    ['https://app.example/gallery?a', 'https://app.example'],
    ['https://App.Example', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['https://user:hunter2@app.example', 'https://app.example']
  ] as const)
    assert.match(
      messageOf({ CORS_ORIGINS: `http://a,${text}` }),
      new RegExp(`^CORS_ORIGINS has more or other .*: write "${meant}"\\.$`)
    )
  for (const text of ['app.example', 'null', 'https://*.app.example', '*,https://app.example', 'ftp://a', 'file:///a'])
    assert.match(messageOf({ CORS_ORIGINS: text }), /^CORS_ORIGINS must be origins of web pages such as/, text)
})

test('any HOST is taken: whether it may be listened on depends on the keys there are', () => {
  assert.equal(readConfig({ HOST: '0.0.0.0' }).host, '0.0.0.0')
  assert.equal(readConfig({ HOST: '0.0.0.0' }).unauthenticated, 'refuse')
  assert.equal(readConfig({ UNAUTHENTICATED: 'allow' }).unauthenticated, 'allow')
})

test('S3_BUCKET selects the bucket, and an endpoint of one’s own selects path style', () => {
  const { objectStore } = readConfig({ S3_BUCKET: 'pictures', S3_ENDPOINT: 'http://127.0.0.1:9000/', S3_PREFIX: 'team' })
  assert.deepEqual(objectStore, {
    kind: 's3',
    bucket: 'pictures',
    endpoint: 'http://127.0.0.1:9000',
    publicEndpoint: undefined,
    region: 'us-east-1',
    forcePathStyle: true,
    keyPrefix: 'team/',
    linkTtlSeconds: 3600
  })
  const plain = readConfig({ S3_BUCKET: 'pictures' }).objectStore
  assert.equal(plain.kind === 's3' && plain.forcePathStyle, false)
})

test('targets are public on the usual ports unless the configuration says otherwise', () => {
  assert.deepEqual(readConfig({}).egress, { targets: 'public', ports: [443, 8443], dnsServers: [] })
  const environment = { EGRESS: 'any', EGRESS_PORTS: '443, 9443', EGRESS_DNS_SERVERS: '10.0.0.2:5353,fd00::2,[fd00::3]:53' }
  const dnsServers = ['10.0.0.2:5353', 'fd00::2', '[fd00::3]:53']
  assert.deepEqual(readConfig(environment).egress, { targets: 'any', ports: [443, 9443], dnsServers })
  assert.match(messageOf({ EGRESS: 'private' }), /^EGRESS must be one of public, any/)
  assert.match(messageOf({ EGRESS_PORTS: '443,0' }), /^EGRESS_PORTS must be ports such as "443,8443", not "0"/)
  for (const server of ['dns.example.com', '10.0.0.256', '10.0.0.2:99999', ':::', '[fd00::2', '10.0.0.2:'])
    assert.match(messageOf({ EGRESS_DNS_SERVERS: server }), /^EGRESS_DNS_SERVERS must be addresses such as/, server)
})

test('traces are off unless a collector is named', () => {
  assert.equal(readConfig({ OTEL_SERVICE_NAME: 'a', OTEL_EXPORTER_OTLP_ENDPOINT: '' }).tracing, undefined)
  const { tracing } = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/', OTEL_TRACES_SAMPLER_ARG: '0.1' })
  assert.deepEqual(tracing, { url: 'http://collector:4318/v1/traces', serviceName: 'nextscale-api', share: 0.1 })
})
