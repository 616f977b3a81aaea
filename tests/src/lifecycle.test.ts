import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import { eachPage } from './support/each-page.ts'
import { asProblem } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

interface Page {
  data: Generation[]
  next_cursor: string | null
}

const list = async (query: string): Promise<Page> => (await service.client.send('get', `/v1/generations${query}`)).body as Page

const walk = async (filter: string, limit: number): Promise<string[]> => {
  const ids: string[] = []
  await eachPage<Generation>(service.client, `/v1/generations?limit=${limit}${filter}`, (page) => {
    assert.ok(page.length <= limit)
    ids.push(...page.map(({ id }) => id))
  })
  return ids
}

test('pages walk through all generations once, newest first, also while new ones arrive', async () => {
  const { client } = service
  const made: string[] = []
  for (let index = 0; index < 7; index++) made.push((await client.generate({ label: index % 2 ? 'odd' : 'even' })).id)
  for (const id of made) await client.finish(id)
  const first = await list('?limit=3')
  assert.deepEqual(
    first.data.map(({ id }) => id),
    made.toReversed().slice(0, 3)
  )
  const late = await client.generate({ label: 'late' })
  await client.finish(late.id)
  const second = await list(`?limit=10&cursor=${encodeURIComponent(first.next_cursor ?? '')}`)
  assert.deepEqual(
    second.data.map(({ id }) => id),
    made.toReversed().slice(3)
  )
  assert.deepEqual(await walk('', 2), [late.id, ...made.toReversed()])
})

test('filters by label, status and model', async () => {
  const odd = await walk('&label=odd', 2)
  assert.equal(odd.length, 3)
  assert.deepEqual(await walk('&label=odd&status=succeeded&model=emoji-32', 5), odd)
  assert.deepEqual(await walk('&status=failed', 5), [])
  assert.deepEqual(await walk('&model=other', 5), [])
})

test('deleting erases record and pictures: 204, then 410; again 204; and it leaves the list', async () => {
  const { client } = service
  const { id } = await client.generate({ num_images: 2 })
  const { outputs } = await client.finish(id)
  assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
  const gone = await client.send('get', `/v1/generations/${id}`)
  assert.deepEqual([gone.status, asProblem(gone).code], [410, 'generation_gone'])
  assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
  assert.ok(!(await walk('', 50)).includes(id))
  for (const { url } of outputs) {
    const { pathname, search } = new URL(url)
    assert.equal((await client.send('get', `${pathname}${search}`)).status, 404)
  }
  assert.ok(!(await readdir(join(service.objects, 'generations'))).includes(id))
})

test('what is not finished cannot be deleted: 409 says to cancel first', async () => {
  const { client } = service
  const { id } = await client.generate({ num_images: 16 })
  const refused = await client.send('delete', `/v1/generations/${id}`)
  assert.deepEqual([refused.status, asProblem(refused).code], [409, 'generation_not_terminal'])
  assert.match(asProblem(refused).detail, /cancel/)
  assert.equal((await client.finish(id)).status, 'succeeded')
})

test('a canceled generation can be deleted', async () => {
  const { client } = service
  const { id } = await client.generate({ num_images: 16 })
  await client.cancel(id)
  await client.finish(id)
  assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
  assert.equal((await client.send('get', `/v1/generations/${id}`)).status, 410)
})
