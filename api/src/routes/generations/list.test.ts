import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createGeneration, type Generation, listGenerations } from '@nextscale/openapi'
import { encodeCursor } from '../../generations/cursor.ts'
import { newGenerationId } from '../../generations/id.ts'
import { openDeliveryQueue } from '../../pools/queues.ts'
import { assertKept } from '../../testing/contract.ts'
import { modelCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'

interface Page {
  data: Generation[]
  next_cursor: string | null
}

let context: TestApp
before(async () => {
  context = await openTestApp({}, [modelCard(), modelCard({ id: 'other', order: 1 })])
})
after(() => context.close())
beforeEach(() => context.redis.del(context.keys.index('local')))

const list = async (query = ''): Promise<Page> => {
  const response = await context.app.inject(`/generations${query}`)
  assertKept(listGenerations, response)
  return bodyOf<Page>(response)
}

const idsOf = ({ data }: Page) => data.map(({ id }) => id)

/** More than any test has. */
const MAX_PAGES = 1000

/** Follows cursors to the end. */
const listAll = async (query: string): Promise<string[]> => {
  const ids: string[] = []
  let cursor: string | null = ''
  for (let pages = 0; cursor !== null; pages += 1) {
    assert.ok(pages < MAX_PAGES, 'the cursors have no end')
    const page: Page = await list(`${query}${cursor && `&cursor=${cursor}`}`)
    ids.push(...idsOf(page))
    cursor = page.next_cursor
  }
  return ids
}

/** Accepts some generations at once, so that many share a millisecond. */
const accept = async (count: number, body: Record<string, unknown> = {}): Promise<string[]> => {
  const accepted = await Promise.all(Array.from({ length: count }, () => context.generate(body)))
  return accepted.map(({ id }) => id)
}

test('pages are newest first and hold every generation once, also those of one millisecond', async () => {
  const ids = await accept(57)
  for (const limit of [1, 7, 20, 57, 100]) {
    const listed = await listAll(`?limit=${limit}`)
    assert.deepEqual(listed.toSorted(), ids.toSorted())
  }
  const { data } = await list('?limit=100')
  const times = data.map(({ created_at }) => created_at)
  assert.deepEqual(times, times.toSorted().toReversed())
})

test('the last page has no cursor', async () => {
  await accept(4)
  assert.equal((await list('?limit=4')).next_cursor, null)
  assert.notEqual((await list('?limit=3')).next_cursor, null)
  assert.deepEqual(await list('?label=none'), { data: [], next_cursor: null })
})

test('a cursor goes on where it was, though its entry is gone and new ones have come', async () => {
  const ids = await accept(6)
  const first = await list('?limit=3')
  await context.redis.zrem(context.keys.index('local'), first.data[2]?.id ?? '')
  await accept(3)
  const second = await list(`?limit=10&cursor=${first.next_cursor}`)
  assert.deepEqual([...idsOf(first), ...idsOf(second)].toSorted(), ids.toSorted())
})

test('filters are by label, model and status', async () => {
  const [labelled] = await accept(1, { label: 'mine' })
  const [modelled] = await accept(1, { model: 'other' })
  const [canceled] = await accept(1)
  await context.app.inject({ method: 'POST', url: `/generations/${canceled}/cancel` })
  assert.deepEqual(idsOf(await list('?label=mine')), [labelled])
  assert.deepEqual(idsOf(await list('?model=other')), [modelled])
  assert.deepEqual(idsOf(await list('?status=canceled')), [canceled])
  assert.deepEqual(new Set(idsOf(await list('?status=queued'))), new Set([labelled, modelled]))
})

test('a filter that fits nothing looks at a bounded part, and goes on with the next page', async () => {
  const key = context.keys.index('local')
  const entries = Array.from({ length: 1200 }, (_, index) => [index + 1, newGenerationId()]).flat()
  await context.redis.zadd(key, ...entries)
  const first = await list('?label=none')
  assert.deepEqual(first.data, [])
  assert.notEqual(first.next_cursor, null)
  assert.deepEqual(await listAll('?label=none'), [])
})

test('a cursor this server did not write is refused', async () => {
  const own = encodeCursor({ score: 5, id: newGenerationId() })
  for (const cursor of [
    'x',
    'AAAA',
    `${own}x`,
    Buffer.from('5:gen_').toString('base64url'),
    Buffer.from('-1:x:y').toString('base64url')
  ]) {
    const response = await context.app.inject(`/generations?cursor=${cursor}`)
    assertKept(listGenerations, response)
    assert.equal(bodyOf<{ code: string }>(response).code, 'invalid_cursor')
  }
  assert.deepEqual((await list(`?cursor=${own}`)).data, [])
})

test('ids past their time leave the index, though not with every request', async () => {
  const { createEnqueue } = await import('../../generations/enqueue.ts')
  const key = context.keys.index('local')
  await context.redis.zadd(key, Date.now() - 62 * 86_400_000, newGenerationId(), Date.now() - 60 * 86_400_000, newGenerationId())
  const [id] = await accept(1)
  const job = (await context.queue.getJob(id ?? '')) ?? assert.fail()
  const enqueue = createEnqueue({ ...context, deliveryQueue: openDeliveryQueue(context.redis, context.keys) })
  await enqueue.add({ id: newGenerationId(), pool: 'default', payload: job.data, createdAt: Date.now() })
  await context.redis.ping()
  assert.equal(await context.redis.zcard(key), 3)
})

test('a full queue is a 503 that says when to try again', async () => {
  const small = await openTestApp({ QUEUE_LIMIT: '3' })
  try {
    for (let count = 0; count < 4; count++) await small.generate()
    await new Promise((resolve) => setTimeout(resolve, 1050))
    await small.generate()
    const response = await post(small.app, '/generate', {})
    assertKept(createGeneration, response)
    assert.equal(bodyOf<{ code: string }>(response).code, 'queue_full')
    assert.ok(Number(response.headers['retry-after']) > 0)
  } finally {
    await small.close()
  }
})
