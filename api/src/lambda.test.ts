import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Generation, pictureKey, type Problem } from '@nextscale/openapi'
import { type LambdaFunction, startLambda } from './testing/lambda-runtime.ts'
import { openTestApp, type TestApp } from './testing/test-app.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const PICTURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 254, 128])
const METRICS = { sample_ms: 5, scale_ms: [1, 4], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 1 }

interface Answer {
  statusCode: number
  headers: Record<string, string>
  isBase64Encoded: boolean
  body: string
}

let context: TestApp
let folder: string
let lambda: LambdaFunction
let key: string | undefined

before(async () => {
  execFileSync(process.execPath, [here('bundle.ts')], { stdio: 'inherit' })
  context = await openTestApp()
  key = (await context.createKey()).token
  folder = await mkdtemp(join(tmpdir(), 'nextscale-lambda-'))
  await copyFile(here('../dist/lambda.mjs'), join(folder, 'lambda.mjs'))
  lambda = await startLambda(folder, { REDIS_URL: context.server.url, OBJECT_DIR: context.directory, LOG_LEVEL: 'warn' })
})
after(async () => {
  await lambda.close()
  await context.close()
  await rm(folder, { recursive: true, force: true })
})

/** An event as API Gateway sends it (HTTP API, payload version 2). */
const gatewayEvent = (method: string, target: string, body?: string) => {
  const { pathname, searchParams, search } = new URL(target, 'https://a')
  const query = [...searchParams].length > 0 ? { queryStringParameters: Object.fromEntries(searchParams) } : {}
  const domainName = 'r3pmxmplak.execute-api.us-east-2.amazonaws.com'
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: {
      accept: '*/*',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      host: domainName,
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': String(body.length) }),
      'x-amzn-trace-id': 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e',
      'x-forwarded-for': '205.255.255.176',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https'
    },
    ...query,
    requestContext: {
      accountId: '123456789012',
      apiId: 'r3pmxmplak',
      domainName,
      domainPrefix: 'r3pmxmplak',
      http: { method, path: pathname, protocol: 'HTTP/1.1', sourceIp: '205.255.255.176', userAgent: 'curl/8.5.0' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: '$default',
      stage: '$default',
      time: '10/Mar/2026:05:16:23 +0000',
      timeEpoch: 1773119783636
    },
    ...(body !== undefined && { body: Buffer.from(body).toString('base64') }),
    isBase64Encoded: body !== undefined
  }
}

const invoke = async (method: string, target: string, body?: string): Promise<Answer> => {
  return (await lambda.invoke(gatewayEvent(method, target, body))) as Answer
}

/** Ends every generation with a picture, whose file is not written. */
const succeedAll = () =>
  context.runner(async ({ id = '' }) => {
    const key = pictureKey(id, 0, 'png')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 8, sha256: 'a'.repeat(64) }
    return { outcome: 'succeeded', outputs: [output], metrics: METRICS }
  })

const generationOf = ({ body }: Answer) => JSON.parse(body) as Generation
const problemOf = ({ body }: Answer) => JSON.parse(body) as Problem

test('an event is a request: 202, then 200, under the address of the gateway', async () => {
  const accepted = await invoke('POST', '/generate', '{"seed": 7, "label": "a,b"}')
  assert.equal(accepted.statusCode, 202)
  assert.equal(accepted.isBase64Encoded, false)
  const { id, urls } = generationOf(accepted)
  assert.equal(urls.self, `https://r3pmxmplak.execute-api.us-east-2.amazonaws.com/v1/generations/${id}`)
  assert.equal(accepted.headers['location'], urls.self)
  const read = await invoke('GET', `/v1/generations/${id}`)
  assert.equal(read.statusCode, 200)
  assert.equal(generationOf(read).status, 'queued')
  const { data } = JSON.parse((await invoke('GET', '/v1/generations?label=a,b')).body) as { data: Generation[] }
  assert.deepEqual(
    data.map((generation) => generation.id),
    [id]
  )
})

test('whoever reaches the gateway needs a key', async () => {
  const own = key
  key = undefined
  const refused = await invoke('POST', '/generate', '{}')
  key = own
  assert.deepEqual([refused.statusCode, problemOf(refused).code], [401, 'unauthorized'])
})

test('pictures are base64, byte for byte', async () => {
  const { id } = generationOf(await invoke('POST', '/v1/generate', '{}'))
  const key = pictureKey(id, 0, 'png')
  await mkdir(join(context.directory, 'generations', id), { recursive: true })
  await writeFile(join(context.directory, key), PICTURE)
  await succeedAll()
  const done = generationOf(await invoke('GET', `/v1/generations/${id}?wait=60`))
  assert.equal(done.status, 'succeeded')
  const picture = await invoke('GET', done.outputs[0]?.url ?? '')
  assert.equal(picture.statusCode, 200)
  assert.equal(picture.isBase64Encoded, true)
  assert.deepEqual(Buffer.from(picture.body, 'base64'), PICTURE)
})

test('problems, the contract and probes are answered as everywhere', async () => {
  const refused = await invoke('POST', '/generate', '{"num_images": 0}')
  assert.equal(refused.statusCode, 400)
  assert.equal(refused.isBase64Encoded, false)
  assert.deepEqual(
    problemOf(refused).errors.map(({ pointer }) => pointer),
    ['/num_images']
  )
  assert.equal((await invoke('GET', '/readyz')).statusCode, 200)
  assert.equal(JSON.parse((await invoke('GET', '/openapi.json')).body).info.title, 'Nextscale')
  assert.equal((await invoke('GET', '/docs/')).statusCode, 404)
})

test('after a freeze in which Redis hung up, the next event is answered as if nothing had been', async () => {
  assert.equal((await invoke('GET', '/v1/generations')).statusCode, 200)
  lambda.process.kill('SIGSTOP')
  await context.redis.call('CLIENT', 'KILL', 'TYPE', 'normal')
  lambda.process.kill('SIGCONT')
  const answers = [await invoke('GET', '/v1/generations'), await invoke('POST', '/generate', '{}')]
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 202]
  )
})

test('the function is one file: it asked for no package, and wrote nothing beside itself', async () => {
  assert.equal((await invoke('GET', '/status')).statusCode, 200)
  assert.deepEqual(lambda.foreignImports, [])
  assert.deepEqual(await readdir(folder), ['lambda.mjs'])
})

test('the function names the release', async () => {
  const { version } = JSON.parse((await invoke('GET', '/status')).body) as { version: string }
  assert.match(version, /^\d+\.\d+\.\d+/)
})

test('links to a bucket are made without a package beside the file', async () => {
  const s3 = { S3_BUCKET: 'pictures', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', LOG_LEVEL: 'warn' }
  const own = lambda
  lambda = await startLambda(folder, { REDIS_URL: context.server.url, ...s3 })
  try {
    const { id } = generationOf(await invoke('POST', '/generate', '{}'))
    await succeedAll()
    const done = generationOf(await invoke('GET', `/v1/generations/${id}?wait=60`))
    assert.match(
      done.outputs[0]?.url ?? '',
      /^https:\/\/pictures\.s3\.us-east-1\.amazonaws\.com\/generations\/.*X-Amz-Signature=/
    )
    assert.deepEqual(lambda.foreignImports, [])
  } finally {
    await lambda.close()
    lambda = own
  }
})
