import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DelayedError, FlowProducer, type Job, Queue, UnrecoverableError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { scriptNames, scriptOf } from '../redis/when-full.ts'
import { type RedisServer, startRedis, until } from '../testing/index.ts'
import { DELAYED_UNITS_PER_MS, FETCHING_SCRIPTS, JOB_FIELDS, JOB_KEYS, QUEUE_KEYS, SCRIPTS } from './bullmq-names.ts'

const PREFIX = '{names}'
const DUE_IN_MS = 60_000

let server: RedisServer
let redis: Redis
let queue: Queue
before(async () => {
  server = await startRedis()
  ;({ redis } = server)
  queue = new Queue('work', { connection: server.connect(), prefix: PREFIX })
})
after(async () => {
  await queue.close()
  await server.stop()
})

const keyOf = (name: keyof typeof QUEUE_KEYS) => queue.toKey(QUEUE_KEYS[name])
const fieldsOf = async (id: string) => {
  const hash = await redis.hgetall(queue.toKey(id))
  const named = Object.entries(JOB_FIELDS).map(([name, field]) => [name, hash[field]])
  return Object.fromEntries(named) as Record<keyof typeof JOB_FIELDS, string | undefined>
}
const isNow = (text: unknown) => Math.abs(Date.now() - Number(text)) < 10_000

/** Jobs whose work is done. */
const isOver = new Set<string>()

/** Has a worker take one job, and resolves once the job has left it. */
const runOne = async (id: string, work: (job: Job) => Promise<unknown>) => {
  const worker = new Worker('work', work, { connection: server.connect(), prefix: PREFIX })
  worker.on('error', () => undefined)
  await until(
    `${id} is out of the worker's hands`,
    async () => (await redis.lpos(keyOf('active'), id)) === null && isOver.has(id)
  )
  await worker.close()
}
test('a job that is added has its payload and time, and waits by priority, or by order where it has none', async () => {
  await queue.add('job', { a: 1 }, { jobId: 'first', priority: 5 })
  const { data, timestamp, finishedOn, processedOn, starts, attemptsEnded } = await fieldsOf('first')
  assert.equal(data, '{"a":1}')
  assert.ok(isNow(timestamp))
  assert.deepEqual([finishedOn, processedOn, starts, attemptsEnded], [undefined, undefined, undefined, undefined])
  assert.notEqual(await redis.zscore(keyOf('prioritized'), 'first'), null)
  assert.notEqual(await redis.zscore(keyOf('marker'), '0'), null)
  for (const id of ['second', 'third']) await queue.add('job', {}, { jobId: id })
  // Those without a priority come first, and of them the one at the right end.
  assert.deepEqual(await redis.lrange(keyOf('wait'), 0, -1), ['third', 'second'])
  await queue.remove('third')
  await queue.remove('second')
})

test('one that is worked on is active, locked by a token, and counts its starts; then it has an end', async () => {
  await runOne('first', async (job) => {
    const held = await fieldsOf('first')
    assert.deepEqual([held.starts, held.attemptsEnded, held.finishedOn], ['1', undefined, undefined])
    assert.ok(isNow(held.processedOn))
    assert.deepEqual(await redis.lrange(keyOf('active'), 0, -1), ['first'])
    assert.equal(await redis.get(queue.toKey('first') + JOB_KEYS.lock), job.token)
    await job.updateProgress({ scale: 1 })
    await job.log('a line')
    isOver.add('first')
    return { outcome: 'made' }
  })
  const { returnValue, finishedOn, progress, attemptsEnded } = await fieldsOf('first')
  assert.deepEqual([returnValue, progress, attemptsEnded], ['{"outcome":"made"}', '{"scale":1}', '1'])
  assert.equal(await redis.zscore(keyOf('completed'), 'first'), finishedOn)
  assert.deepEqual(await redis.lrange(queue.toKey('first') + JOB_KEYS.logs, 0, -1), ['a line'])
  assert.equal(await redis.exists(queue.toKey('first') + JOB_KEYS.lock), 0)
  const events = JSON.stringify(await redis.xrange(keyOf('events'), '-', '+'))
  for (const event of ['waiting', 'active', 'completed']) assert.match(events, new RegExp(`"event","${event}","jobId","first"`))
})

test('one that is put off is scored by when it is due; one that fails has the reason', async () => {
  await queue.add('job', {}, { jobId: 'later' })
  const due = Date.now() + DUE_IN_MS
  await runOne('later', async (job) => {
    await job.moveToDelayed(due, job.token)
    isOver.add('later')
    throw new DelayedError()
  })
  const score = Number(await redis.zscore(keyOf('delayed'), 'later'))
  assert.ok(Math.abs(Math.floor(score / DELAYED_UNITS_PER_MS) - due) <= 1)
  await queue.add('job', {}, { jobId: 'fails' })
  await runOne('fails', async () => {
    isOver.add('fails')
    throw new UnrecoverableError('no use')
  })
  const { failedReason, finishedOn } = await fieldsOf('fails')
  assert.equal(failedReason, 'no use')
  assert.equal(await redis.zscore(keyOf('failed'), 'fails'), finishedOn)
})

test('one whose worker was lost is counted as BullMQ counts it, and a failure left on it is what the next ends with', async () => {
  await queue.add('job', {}, { jobId: 'lost', priority: 1 })
  await redis.hset(queue.toKey('lost'), JOB_FIELDS.lostRuns, 3, JOB_FIELDS.deferredFailure, 'given up')
  const job = await queue.getJob('lost')
  assert.deepEqual([job?.stalledCounter, job?.deferredFailure], [3, 'given up'])
  await queue.remove('lost')
})

test('a parent waits for its child, which knows it', async () => {
  const flows = new FlowProducer({ connection: server.connect(), prefix: PREFIX })
  const child = { name: 'job', queueName: 'work', opts: { jobId: 'child' } }
  await flows.add({ name: 'job', queueName: 'work', opts: { jobId: 'parent' }, children: [child] })
  await flows.close()
  assert.notEqual(await redis.zscore(keyOf('waitingChildren'), 'parent'), null)
  assert.equal((await fieldsOf('child')).parentKey, queue.toKey('parent'))
  assert.deepEqual(await redis.smembers(queue.toKey('parent') + JOB_KEYS.dependencies), [queue.toKey('child')])
})

test('the scripts that are built upon are there, and those that add jobs say so in their names', async () => {
  const client = await queue.backend.client
  for (const name of SCRIPTS) assert.match(scriptOf(client, name), /redis\.call|rcall/)
  for (const name of ['addStandardJob', 'addPrioritizedJob', 'addDelayedJob', 'addParentJob'])
    assert.match(scriptOf(client, name), /HMSET/)
})

test('a job knows its priority and delay, which decide its place, and has no other keys than those that are moved with it', async () => {
  await queue.add('job', {}, { jobId: 'urgent', priority: 3 })
  const order = Number(await redis.get(keyOf('priorityCounter')))
  assert.equal(Number(await redis.zscore(keyOf('prioritized'), 'urgent')), 3 * 0x100000000 + order)
  const later = await queue.add('job', {}, { jobId: 'put-off', priority: 3, delay: DUE_IN_MS })
  const { priority, delay } = await fieldsOf('put-off')
  assert.deepEqual([priority, delay], ['3', String(DUE_IN_MS)])
  const due = Number(await redis.zscore(keyOf('marker'), '1'))
  assert.ok(Math.abs(due - Date.now() - DUE_IN_MS) < 10_000)
  await later.log('a line')
  const all = await redis.keys(`${queue.toKey('put-off')}*`)
  assert.deepEqual(all.toSorted(), [queue.toKey('put-off'), queue.toKey('put-off') + JOB_KEYS.logs])
  for (const id of ['urgent', 'put-off']) await queue.remove(id)
})

test('scripts that fetch a job do it in the two ways that are known, and no others do', async () => {
  const client = await queue.backend.client
  for (const name of FETCHING_SCRIPTS) {
    const text = scriptOf(client, name)
    for (const [, list] of text.matchAll(/"RPOPLPUSH", (\w+), activeKey/g)) assert.equal(list, 'waitKey', name)
    assert.equal(text.match(/"RPOPLPUSH"|"LMOVE"|"RPOP"|"LPOP"/g)?.length, name === 'moveToActive' ? 2 : 1, name)
    assert.deepEqual(text.match(/"Z(POPMIN|POPMAX|MPOP)", \w+/g), ['"ZPOPMIN", priorityKey'], name)
    assert.match(text, /rcall\("DEL", priorityCounterKey\)/)
  }
  const fetching = scriptNames(client).filter((name) => /prepareJobForProcessing\(/.test(scriptOf(client, name)))
  assert.deepEqual(fetching.toSorted(), FETCHING_SCRIPTS.toSorted())
})
