import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startSecrets } from '../testing/index.ts'
import { renewalBySecret } from './renewal-by-secret.ts'

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:redis-AbCdEf'
const KNOWN = 'rediss://redis.example:6379'

const open = async (t: TestContext) => {
  const server = await startSecrets()
  const settings = { AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  Object.assign(process.env, settings)
  t.after(() => server.close())
  return server
}

test('a secret is a URL, an object with one, or an object with a password for the URL that is known', async (t) => {
  const { secrets } = await open(t)
  for (const [text, url] of [
    ['rediss://:p%40ss@a:6379/\n', 'rediss://:p%40ss@a:6379'],
    ['{"url": "redis://user:pass@a"}', 'redis://user:pass@a'],
    ['{"password": "p@ss/#?"}', 'rediss://:p%40ss%2F%23%3F@redis.example:6379'],
    ['{"username": "run@ner", "password": "%"}', 'rediss://run%40ner:%25@redis.example:6379']
  ] as const) {
    secrets.set(ARN, text)
    assert.equal((await renewalBySecret(ARN, KNOWN)).url(), url)
  }
})

test('a secret that is none is refused in a sentence that does not repeat it', async (t) => {
  const { secrets } = await open(t)
  for (const [text, message] of [
    [
      undefined,
      /^REDIS_SECRET_ARN=arn:.* cannot be read \(ResourceNotFoundException\): let this process call secretsmanager:GetSecretValue/
    ],
    ['hunter2', /^The secret of REDIS_SECRET_ARN must look like redis:/],
    ['{"url": "hunter2"}', /^"url" in the secret of REDIS_SECRET_ARN must look like redis:/],
    [
      '{"token": "hunter2"}',
      /^The secret of REDIS_SECRET_ARN must be a URL of Redis, or a JSON object with "url", or with "password"\.$/
    ]
  ] as const) {
    if (text !== undefined) secrets.set(ARN, text)
    await assert.rejects(renewalBySecret(ARN, KNOWN), (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, message)
      assert.equal(error.name, 'ConfigError')
      return !error.message.includes('hunter2')
    })
  }
})

test('however many connections are refused, the secret is not read more often than once in five seconds', async (t) => {
  const { secrets, requests } = await open(t)
  secrets.set(ARN, 'redis://:first@a')
  const renewal = await renewalBySecret(ARN, KNOWN)
  await Promise.all(Array.from({ length: 50 }, async () => renewal.refused()))
  assert.equal(requests.length, 1)
})
