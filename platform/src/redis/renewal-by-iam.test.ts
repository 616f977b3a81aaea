import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import { renewalByIam, signToken } from './renewal-by-iam.ts'

const IAM = { user: 'runner-1', cluster: 'pictures', region: 'eu-west-1' }
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const NOW = new Date('2026-03-10T05:16:23.636Z')

class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' || secret === undefined ? secret : Buffer.from(secret as Uint8Array)
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }
  update(text: string | Uint8Array) {
    this.#hash.update(text)
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset() {
    throw new Error('is not called')
  }
}

/** What AWS' own signer makes of the request that a token stands for. */
const signedByAws = async (credentials: typeof CREDENTIALS & { sessionToken?: string }) => {
  const signer = new SignatureV4({ service: 'elasticache', region: IAM.region, credentials, sha256: Sha256 })
  const { hostname, query } = await signer.presign(
    {
      method: 'GET',
      protocol: 'http:',
      hostname: IAM.cluster,
      path: '/',
      query: { Action: 'connect', User: IAM.user },
      headers: { host: IAM.cluster }
    },
    { expiresIn: 900, signingDate: NOW }
  )
  return { hostname, query }
}

for (const [what, sessionToken] of [
  ['of a user', undefined],
  ['of a role', 'IQoJb3JpZ2luX2VjEHYaCXVz/+=!*()']
] as const) {
  test(`a token by credentials ${what} is the request that the signer of AWS signs`, async () => {
    const credentials = { ...CREDENTIALS, ...(sessionToken !== undefined && { sessionToken }) }
    const { hostname, query } = await signedByAws(credentials)
    const token = new URL(`http://${signToken(IAM, credentials, NOW)}`)
    assert.equal(token.hostname, hostname)
    assert.deepEqual(Object.fromEntries(token.searchParams), query)
  })
}

test('each connection gets a token of its own time, by the credentials that there are by then', async () => {
  let at = NOW.getTime()
  let keys = 0
  const provide = () => Promise.resolve({ ...CREDENTIALS, accessKeyId: `AKID${++keys}` })
  const renewal = await renewalByIam(IAM, 'rediss://redis.example:6379', provide, () => new Date(at))
  const tokenOf = () => {
    const { protocol, host, username, password } = new URL(renewal.url())
    assert.deepEqual([protocol, host, username], ['rediss:', 'redis.example:6379', 'runner-1'])
    return new URL(`http://${decodeURIComponent(password)}`).searchParams
  }
  assert.match(tokenOf().get('X-Amz-Credential') ?? '', /^AKID1\//)
  await Promise.resolve()
  at += 3_600_000
  const later = tokenOf()
  assert.match(later.get('X-Amz-Credential') ?? '', /^AKID2\/20260310\/eu-west-1\/elasticache\/aws4_request$/)
  assert.deepEqual([later.get('X-Amz-Date'), later.get('X-Amz-Expires')], ['20260310T061623Z', '900'])
  const none = () => Promise.reject(new Error('Could not load credentials'))
  await assert.rejects(renewalByIam(IAM, 'rediss://a', none), {
    name: 'ConfigError',
    message: 'REDIS_IAM needs credentials of AWS, and there are none (Could not load credentials): give this process a role.'
  })
})
