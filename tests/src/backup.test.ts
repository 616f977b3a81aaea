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

/** A Redis that begins with the snapshot, as the guide has it: first without an append-only file, which it would read alone, then with one. */
const restoreRedis = async (t: TestContext, folder: string): Promise<string> => {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const ask = (...args: string[]) =>
    execFileSync('redis-cli', ['-u', url, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const says = (args: string[], said: RegExp) => async () => {
    try {
      return said.test(ask(...args))
    } catch {
      return false
    }
  }
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const start = async (appendonly: 'yes' | 'no') => {
    const server = startProcess('redis-server', [...place, '--appendonly', appendonly])
    t.after(() => server.end('SIGKILL'))
    await until('Redis has read what there is', says(['ping'], /^PONG$/))
    return server
  }
  const first = await start('no')
  assert.equal(ask('config', 'set', 'appendonly', 'yes'), 'OK')
  await until('the append-only file is written', says(['info', 'persistence'], /^aof_rewrite_in_progress:0/m))
  await first.end('SIGKILL')
  await start('yes')
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
