import assert from 'node:assert/strict'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deleteGeneration, type Generation, generationPrefix, pictureKey } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { erase } from '../../generations/erase.ts'
import { openGenerations } from '../../generations/open.ts'
import { openDeliveryQueue } from '../../pools/queues.ts'
import { StoreUnavailable } from '@nextscale/platform/object-store'
import { OWNER } from '../../owner.ts'
import { SCRIPTS } from '../../redis/connect.ts'
import { assertKept } from '../../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
  await context.runner(async (job) => {
    const key = pictureKey(job.id ?? '', 0, 'png')
    await mkdir(join(context.directory, generationPrefix(job.id ?? '')), { recursive: true })
    await writeFile(join(context.directory, key), 'a picture')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    const metrics = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }
    return { outcome: 'succeeded', outputs: [output], metrics }
  })
})
after(() => context.close())

const remove = async (id: string): Promise<number> => {
  const response = await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })
  assertKept(deleteGeneration, response)
  return response.statusCode
}

const succeeded = async (): Promise<Generation> => {
  const { id } = await context.generate()
  return bodyOf<Generation>(await context.app.inject(`/generations/${id}?wait=10`))
}

test('a deleted generation takes its pictures, its job and its place in lists with it', async () => {
  const { id, outputs } = await succeeded()
  assert.equal(await remove(id), 204)
  assert.equal(await context.queue.getJob(id), undefined)
  await assert.rejects(access(join(context.directory, generationPrefix(id))))
  const url = new URL(outputs[0]?.url ?? '')
  assert.equal((await context.app.inject(`${url.pathname}${url.search}`)).statusCode, 404)
  assert.equal((await context.app.inject(`/generations/${id}`)).statusCode, 410)
  const { data } = bodyOf<{ data: Generation[] }>(await context.app.inject('/generations'))
  assert.ok(data.every((generation) => generation.id !== id))
})

test('deleting again is the same as deleting once; deleting what never was is a 404', async () => {
  const { id } = await succeeded()
  assert.deepEqual([await remove(id), await remove(id), await remove(id)], [204, 204, 204])
  assert.equal(await remove('gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'), 404)
})

test('one canceled while it waited can be deleted, and its mark goes with it', async () => {
  const quiet = await openTestApp()
  try {
    const { id } = await quiet.generate()
    assert.equal((await quiet.app.inject({ method: 'DELETE', url: `/generations/${id}` })).statusCode, 409)
    await quiet.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
    assert.equal((await quiet.app.inject({ method: 'DELETE', url: `/generations/${id}` })).statusCode, 204)
    assert.equal(await quiet.redis.exists(quiet.keys.cancelMark(id)), 0)
    assert.equal((await quiet.app.inject(`/generations/${id}`)).statusCode, 410)
  } finally {
    await quiet.close()
  }
})

test('when the object store fails, nothing else is changed', async () => {
  const { id } = await succeeded()
  const store: Pick<ObjectStore, 'remove'> = {
    remove: async () => {
      throw new StoreUnavailable('Down.', undefined)
    }
  }
  const { keys } = context
  const redis = new Redis(context.server.url, { scripts: SCRIPTS })
  const { queues, reader } = openGenerations(redis, keys)
  const deliveryQueue = openDeliveryQueue(redis, keys)
  await assert.rejects(erase({ redis, queues, deliveryQueue, keys, reader, store }, OWNER, id), { name: 'StoreUnavailable' })
  redis.disconnect()
  assert.equal((await context.app.inject(`/generations/${id}`)).statusCode, 200)
})
