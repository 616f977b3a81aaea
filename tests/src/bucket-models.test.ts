import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Deployment, deploy } from './support/deployment.ts'
import { assertAllSucceeded } from './support/drill.ts'
import { startProcess } from './support/process.ts'
import { checksSignatures, createS3Server, type S3Server } from './support/s3-server.ts'
import { until } from './support/until.ts'

const program = (path: string) => fileURLToPath(new URL(`../../gpu-runner/${path}`, import.meta.url))
const SHIPPED = program('models/emoji-32')
const ADDRESS = 's3://pictures/models/emoji-32'

let s3: S3Server
let cache: string
/** How buckets are reached; pictures stay on the disk. */
let access: Record<string, string>
let service: Deployment
before(async () => {
  s3 = await createS3Server()
  cache = await mkdtemp(join(tmpdir(), 'nextscale-models-'))
  const { S3_BUCKET: _bucket, S3_PREFIX: _prefix, ...rest } = s3.env
  access = rest
  service = await deploy({ env: { ...access, MODELS: ADDRESS, MODELS_CACHE_DIR: cache }, withRunner: false })
})
after(async () => {
  await service.close()
  await s3.close()
  await rm(cache, { recursive: true })
})

/** Runs a program to its end. Resolves with what it printed, and its exit code in the last line. */
const run = async (path: string, args: string[], env: Record<string, string>): Promise<string> => {
  const started = startProcess('sh', ['-c', '"$0" "$@"; echo "code $?"', process.execPath, program(path), ...args], env)
  try {
    await until('it has ended', async () => !started.isRunning() && started.output().includes('code '), 60_000)
    return started.output()
  } finally {
    await started.end('SIGKILL')
  }
}

test('a folder is put into a bucket with one command', async () => {
  const printed = await run('src/cli/start.ts', ['push', SHIPPED, ADDRESS], access)
  assert.match(
    printed,
    /^transformer\.safetensors {2}15\.1 MB in .*^manifest\.json .*MODELS=s3:\/\/pictures\/models\/emoji-32 npm start\ncode 0\n$/ms
  )
  assert.match(
    await run('src/cli/start.ts', ['push', SHIPPED, 's3://nowhere/a'], access),
    /^nextscale models: s3:\/\/nowhere: there is no such bucket\.\ncode 1\n$/m
  )
})

const makeOne = async () => {
  const [made] = await assertAllSucceeded(service, [(await service.client.generate({ class_name: 'fox', seed: 5 })).id])
  return service.client.fetchPicture(made?.outputs[0]?.url ?? '')
}

let fetched: Buffer

test('two runners that start at once on an empty cache fetch the model, and make what its folder makes', async () => {
  const both = await Promise.all([service.startRunner(), service.startRunner()])
  // Whichever was slower took what the other had not.
  assert.match(both.map((each) => each.output()).join(''), /"model":"s3:\/\/pictures\/models\/emoji-32","fetched":"\d+\.\d MB"/)
  fetched = await makeOne()
  for (const each of both) await each.end()
  assert.deepEqual(await readdir(join(cache, 'parts')), [])
  await service.startRunner({ MODELS: SHIPPED })
  assert.deepEqual(await makeOne(), fetched)
  await service.runner().end()
})

test('a runner that is started again fetches nothing, and starts while the bucket is away', async () => {
  await s3.stop()
  try {
    const runner = await service.startRunner()
    assert.match(runner.output(), /the bucket cannot be reached, so the model is taken as it was fetched last/)
    assert.doesNotMatch(runner.output(), /fetching a model/)
    assert.deepEqual(await makeOne(), fetched)
    await runner.end()
  } finally {
    await s3.start()
  }
})

test('a first start waits for a bucket that is away', async () => {
  await s3.stop()
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-models-'))
  const starting = service.startRunner({ MODELS_CACHE_DIR: folder })
  try {
    await until('it waits', async () =>
      service.runner().output().includes('s3://pictures cannot be reached now. It is tried again')
    )
  } finally {
    await s3.start()
  }
  await starting
  assert.deepEqual(await makeOne(), fetched)
  await service.runner().end()
  await rm(folder, { recursive: true })
})

const refusals: [what: string, env: Record<string, string>, sentence: RegExp][] = [
  [
    'a bucket that is not there',
    { MODELS: 's3://nowhere/emoji-32' },
    /^gpu-runner: MODELS has s3:\/\/nowhere\/emoji-32, and s3:\/\/nowhere: there is no such bucket\.$/m
  ],
  [
    'a prefix without a model',
    { MODELS: 's3://pictures/models/none' },
    /^gpu-runner: s3:\/\/pictures\/models\/none is not a model folder: there is no manifest\.json in it\.$/m
  ],
  [
    'an address that is none',
    { MODELS: 's3://Pictures' },
    /^gpu-runner: MODELS has "s3:\/\/Pictures", which is not the address of a model: it is written s3:\/\/bucket\/prefix, and the bucket's name/m
  ]
]
const secret: typeof refusals = [
  [
    'a wrong secret',
    { AWS_SECRET_ACCESS_KEY: 'other' },
    /^gpu-runner: MODELS has \S+, and .*the secret key is wrong: set AWS_SECRET_ACCESS_KEY\.$/m
  ],
  [
    'an unknown key',
    { AWS_ACCESS_KEY_ID: 'other' },
    /^gpu-runner: MODELS has \S+, and .*the access key is unknown: set AWS_ACCESS_KEY_ID and /m
  ]
]
for (const [what, env, sentence] of [...refusals, ...(checksSignatures ? secret : [])]) {
  test(`${what} ends the start with a sentence, and is not tried again`, async () => {
    const printed = await run('src/start.ts', [], {
      ...access,
      MODELS: ADDRESS,
      MODELS_CACHE_DIR: cache,
      REDIS_URL: service.redis.url,
      ...env
    })
    assert.match(printed, sentence)
    assert.match(printed, /^code 78$/m)
  })
}
