import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { readConfig } from '../config.ts'
import { readTrustedProxies, toTrustProxy } from './trust-proxy.ts'
import { baseUrl } from './urls.ts'

const FORWARDED = {
  'x-forwarded-for': '203.0.113.9, 198.51.100.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'pictures.example.org'
}

/** What a server with these settings makes of a forwarded request that reaches it over a socket. */
const seenBehind = async (env: Record<string, string>) => {
  const config = readConfig(env)
  const app = fastify({ trustProxy: toTrustProxy(config.trustedProxies) })
  app.get('/', async (incoming) => ({ ip: incoming.ip, base: baseUrl(config, incoming) }))
  try {
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const answer = await new Promise<string>((resolve, reject) => {
      const sent = request(address, { headers: { ...FORWARDED, host: 'inner:8080' } }, (response) => {
        text(response).then(resolve, reject)
      })
      sent.on('error', reject).end()
    })
    return JSON.parse(answer) as { ip: string; base: string }
  } finally {
    await app.close()
  }
}

const DISTRUSTED = { ip: '127.0.0.1', base: 'http://inner:8080' }

test('whoever is not named is not believed', async () => {
  assert.deepEqual(await seenBehind({}), DISTRUSTED)
  assert.deepEqual(await seenBehind({ TRUST_PROXY: '10.0.0.0/8,192.168.1.5' }), DISTRUSTED)
})

test('a named proxy says where the request came from, and URLs lead there', async () => {
  const seen = { ip: '198.51.100.7', base: 'https://pictures.example.org' }
  for (const TRUST_PROXY of ['127.0.0.0/8', '10.0.0.1, 127.0.0.1', 'loopback', '1']) {
    assert.deepEqual(await seenBehind({ TRUST_PROXY }), seen, TRUST_PROXY)
  }
})

test('of several proxies in a row each is believed about the one before it', async () => {
  for (const TRUST_PROXY of ['2', 'loopback,198.51.100.0/24'])
    assert.equal((await seenBehind({ TRUST_PROXY })).ip, '203.0.113.9', TRUST_PROXY)
})

test('PUBLIC_URL wins over what proxies say', async () => {
  const { base } = await seenBehind({ TRUST_PROXY: 'loopback', PUBLIC_URL: 'https://api.example.org' })
  assert.equal(base, 'https://api.example.org')
})

test('what is neither network nor number of hops is named', () => {
  for (const wrong of ['true', '*', '10.0.0.0/33', '10.0.0.0/8/8', '0', '11', '::1/129', 'proxy.internal', '-1', '1.5']) {
    assert.throws(
      () => readTrustedProxies({ TRUST_PROXY: `${wrong}` }),
      { message: /^TRUST_PROXY must be .* is neither\.$/ },
      wrong
    )
  }
  assert.equal(readTrustedProxies({ TRUST_PROXY: ' ' }), undefined)
})
