import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import { type Deployment, deploy } from './support/deployment.ts'
import { freePort } from './support/free-port.ts'
import { startProcess } from './support/process.ts'
import { until } from './support/until.ts'

/** The commands of the guide: a snapshot of Redis while it serves, then the pictures. */
const backUp = async ({ redis, objects }: Deployment, folder: string): Promise<void> => {
  execFileSync('redis-cli', ['-u', redis.url, '--rdb', join(folder, 'dump.rdb')], { stdio: 'ignore' })
  await cp(objects, join(folder, 'objects'), { recursive: true })
}

/** A Redis that begins with the snapshot. Its append-only file is switched on once it has read it: with it on from the start it would read that alone. */
const restoreRedis = async (t: TestContext, folder: string): Promise<string> => {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const server = startProcess('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''])
  t.after(() => server.end('SIGKILL'))
  const ask = (...args: string[]) =>
    execFileSync('redis-cli', ['-u', url, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  await until('the snapshot is read', async () => {
    try {
      return ask('ping').trim() === 'PONG'
    } catch {
      return false
    }
  })
  assert.equal(ask('config', 'set', 'appendonly', 'yes').trim(), 'OK')
  return url
}

test('what was backed up while it ran is all there when it is restored elsewhere, and what waited is made', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-backup-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const service = await deploy()
  t.after(() => service.close())
  const ended = await service.client.finish((await service.client.generate({ seed: 1, return_tokens: true })).id)
  await service.runner().end()
  const waiting = await Promise.all([2, 3, 4].map((seed) => service.client.generate({ seed })))
  await backUp(service, folder)
  const later = await service.client.generate({ seed: 5 })

  const [redisUrl, objects] = [await restoreRedis(t, folder), join(folder, 'objects')]
  const restored = await deploy({ env: { REDIS_URL: redisUrl, OBJECT_DIR: objects } })
  t.after(() => restored.close())
  const read = await restored.client.read(ended.id)
  assert.deepEqual(
    read.outputs.map(({ sha256 }) => sha256),
    ended.outputs.map(({ sha256 }) => sha256)
  )
  for (const { url, bytes } of read.outputs) assert.equal((await restored.client.fetchPicture(url)).length, bytes)
  for (const { id } of waiting) assert.equal((await restored.client.finish(id)).status, 'succeeded')
  const { data } = (await restored.client.send('get', '/v1/generations')).body as { data: Generation[] }
  assert.deepEqual(data.map(({ id }) => id).toSorted(), [ended.id, ...waiting.map(({ id }) => id)].toSorted())
  assert.equal((await restored.client.send('get', `/v1/generations/${later.id}`)).status, 404)
})
