import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { pictureKey } from '@nextscale/openapi'
import { openS3Store } from './s3.ts'

test('an upload is one whole body, without the newer checksums that compatible stores may not know', async (t) => {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders; body: Buffer }[] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      seen.push({ url: request.url, headers: request.headers, body })
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  const store = openS3Store({
    kind: 's3',
    bucket: 'pics',
    endpoint,
    publicEndpoint: undefined,
    region: 'us-east-1',
    forcePathStyle: true,
    keyPrefix: 'made/',
    linkTtlSeconds: 60
  })
  t.after(() => {
    store.close()
    server.close()
    delete process.env['AWS_ACCESS_KEY_ID']
    delete process.env['AWS_SECRET_ACCESS_KEY']
  })
  const key = pictureKey(`gen_${'a'.repeat(26)}`, 0, 'png')
  await store.put(key, { body: Buffer.from('a picture'), contentType: 'image/png' })
  const [{ url = '', headers, body } = assert.fail()] = seen
  assert.equal(new URL(url, endpoint).pathname, `/pics/made/${key}`)
  assert.deepEqual([String(body), headers['content-length']], ['a picture', '9'])
  assert.doesNotMatch(`${url} ${JSON.stringify(headers)}`, /checksum-(crc|algorithm)|aws-chunked/i)
})
