import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { generationPrefix, pictureKey, redisKeys } from '@nextscale/openapi'
import { freePort, type RedisServer, startRedis } from '@nextscale/platform/testing'
import { Redis } from 'ioredis'
import { newGenerationId } from '../../generations/id.ts'

const START = fileURLToPath(new URL('start.ts', import.meta.url))
const DAY_SECONDS = 86_400
const keys = redisKeys('nextscale')

let server: RedisServer
let redis: Redis
let home: string
before(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  home = await mkdtemp(join(tmpdir(), 'nextscale-home-'))
})
beforeEach(async () => {
  await redis.flushall()
  await rm(join(home, 'objects'), { recursive: true, force: true })
})
after(async () => {
  redis.disconnect()
  await server.stop()
  await rm(home, { recursive: true, force: true })
})

const run = async (args: string[], environment: Record<string, string> = { REDIS_URL: server.url }) => {
  const env = { PATH: process.env['PATH'] ?? '', NEXTSCALE_HOME: home, ...environment }
  const child = spawn(process.execPath, [START, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  const [[status], stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)])
  return { status, stdout, stderr }
}

const put = async (ageDays: number): Promise<string> => {
  const id = newGenerationId()
  const folder = join(home, 'objects', generationPrefix(id))
  await mkdir(folder, { recursive: true })
  const file = join(home, 'objects', pictureKey(id, 0, 'png'))
  await writeFile(file, 'x'.repeat(1500))
  const at = Date.now() / 1000 - ageDays * DAY_SECONDS
  for (const path of [file, folder]) await utimes(path, at, at)
  return id
}

const isThere = (id: string) =>
  access(join(home, 'objects', generationPrefix(id))).then(
    () => true,
    () => false
  )

const none = (age: string) => `There are no objects older than ${age} of generations that Redis does not know of.\n`

test('what nobody knows of is shown, and removed only on demand', async () => {
  const [old, young] = [await put(32), await put(20)]
  const shown = await run(['orphans'])
  assert.deepEqual([shown.status, shown.stderr], [0, ''])
  assert.match(
    shown.stdout,
    new RegExp(`^${old}  1 object, 2 kB, \\d{4}-\\d\\d-\\d\\d\n1 object, 2 kB, of 1 generation .*--remove`)
  )
  assert.ok(await isThere(old))
  assert.equal(
    (await run(['orphans', '--remove'])).stdout,
    'Removed 1 object, 2 kB, of 1 generation that Redis does not know of.\n'
  )
  assert.deepEqual([await isThere(old), await isThere(young)], [false, true])
  assert.equal((await run(['orphans', '--remove'])).stdout, none('31 days'))
})

test('a shorter age is taken where Redis knows of some generation, or on demand', async () => {
  const id = await put(2)
  const refused = await run(['orphans', '--older-than', '1d', '--remove'])
  assert.deepEqual([refused.status, refused.stdout], [1, ''])
  assert.match(refused.stderr, /^nextscale objects: Redis knows of no generation at all.*--although-empty\.\n$/)
  assert.ok(await isThere(id))
  const other = await put(2)
  await redis.zadd(keys.expiry, Date.now(), other)
  assert.equal((await run(['orphans', '--older-than', '50h', '--remove'])).stdout, none('50 hours'))
  assert.match((await run(['orphans', '--older-than', '47h', '--remove'])).stdout, /^Removed 1 object/)
  assert.deepEqual([await isThere(id), await isThere(other)], [false, true])
  await redis.flushall()
  await run(['orphans', '--older-than', '1d', '--remove', '--although-empty'])
  assert.equal(await isThere(other), false)
})

test('nothing is made where there is nothing', async () => {
  assert.equal((await run(['orphans'])).stdout, none('31 days'))
  assert.deepEqual(await readdir(home), [])
})

test('what is wrong is said in a sentence', async () => {
  await mkdir(join(home, 'objects'))
  await writeFile(join(home, 'objects/generations'), 'a file')
  const port = await freePort()
  const cases: [string[], RegExp, Record<string, string>?][] = [
    [['orphans', '--older-than', '1w'], /--older-than takes a number of seconds, minutes, hours or days such as 90m, 12h or 7d/],
    [['orphans', '--older-than', '0d'], /--older-than takes/],
    [['orphans', '--all'], /Unknown option '--all'.* Usage: nextscale objects orphans/],
    [['sweep'], /There is no "objects sweep": the verbs are orphans/],
    [['orphans'], /The object store does not serve: ENOTDIR/],
    [['orphans'], /Redis at 127\.0\.0\.1:\d+ .*REDIS_URL.* does not serve/, { REDIS_URL: `redis://127.0.0.1:${port}` }],
    [['orphans'], /S3_ENDPOINT must be/, { REDIS_URL: server.url, S3_BUCKET: 'a', S3_ENDPOINT: 'minio:9000' }]
  ]
  for (const [args, sentence, environment] of cases) {
    const { status, stdout, stderr } = await run(args, environment)
    const isWrongCommandLine = args.length > 1 || args[0] === 'sweep'
    assert.deepEqual([status, stdout], [isWrongCommandLine ? 2 : 1, ''])
    assert.match(stderr, sentence)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  }
  assert.match((await run(['orphans', '--help'])).stdout, /^nextscale objects orphans \[--older-than AGE\]/)
})
