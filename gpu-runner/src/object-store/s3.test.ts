import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { pictureKey } from '@nextscale/openapi'
import { createS3Store } from './s3.ts'

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
  const store = createS3Store({ bucket: 'pics', region: 'us-east-1', endpoint, forcePathStyle: true, prefix: 'made/' })
  t.after(async () => {
    await store.close()
    server.close()
    delete process.env['AWS_ACCESS_KEY_ID']
    delete process.env['AWS_SECRET_ACCESS_KEY']
  })
  const key = pictureKey(`gen_${'a'.repeat(26)}`, 0, 'png')
  await store.put(key, Buffer.from('a picture'), 'image/png', new AbortController().signal)
  const [{ url = '', headers, body } = assert.fail()] = seen
  assert.equal(new URL(url, endpoint).pathname, `/pics/made/${key}`)
  assert.deepEqual([String(body), headers['content-length']], ['a picture', '9'])
  assert.doesNotMatch(`${url} ${JSON.stringify(headers)}`, /checksum-(crc|algorithm)|aws-chunked/i)
})
