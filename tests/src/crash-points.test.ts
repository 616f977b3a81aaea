import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import { type Deployment, deploy } from './support/deployment.ts'
import { createHook, type Hook } from './support/hook.ts'
import { createRedisProxy, type RedisProxy } from './support/redis-proxy.ts'
import { until } from './support/until.ts'

const QUICK = {
  EGRESS: 'any',
  SWEEP_INTERVAL_MS: '200',
  BACKLOG_INTERVAL_MS: '200',
  LOCK_DURATION_MS: '1000',
  STALLED_INTERVAL_MS: '500',
  WEBHOOK_TIMEOUT_MS: '1000'
}
/** More writes than any step here makes. */
const MANY = 60

let service: Deployment
let hook: Hook
let proxy: RedisProxy
before(async () => {
  service = await deploy({ env: QUICK })
  hook = await createHook()
})
after(async () => {
  proxy.close()
  hook.close()
  await service.close()
})
beforeEach(async () => {
  proxy?.close()
  proxy = await createRedisProxy(service.redis.url)
})

const webhook = () => ({ webhook: { url: hook.url } })

/** Plain HTTP, since during a crash any answer and none may come. */
const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Generation | undefined> => {
  const answer = await fetch(`${service.baseUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(3000)
  }).catch(() => undefined)
  return answer && (answer.status === 202 || answer.status === 200) ? ((await answer.json()) as Generation) : undefined
}

const list = async (): Promise<Generation[]> => {
  const { body } = await service.client.send('get', '/v1/generations?limit=100')
  return (body as { data: Generation[] }).data
}

/** Everything there is has ended, has its delivery, and that has arrived: under one id, and telling the end. */
const assertAllTold = async (): Promise<Generation[]> => {
  const all = await list()
  for (const { id } of all) {
    await until(`${id} has ended and is told of`, async () => {
      const { webhook: state } = await service.client.read(id)
      return state?.status === 'delivered'
    })
    const { status } = await service.client.read(id)
    const requests = hook.about(id)
    assert.ok(requests.length > 0, `nothing arrived of ${id}`)
    assert.deepEqual(new Set(requests.map((request) => request.id)), new Set([id.replace('gen_', 'whd_')]))
    for (const { body } of requests) assert.equal(body.type, `generation.${status}`)
  }
  return all
}

const isReady = async () => (await fetch(`${service.baseUrl}/readyz`).catch(() => undefined))?.status === 200

const start = {
  api: async (env: Record<string, string> = {}) => {
    await service.startApi(env)
    await until('requests are accepted', isReady)
  },
  runner: async (env: Record<string, string> = {}) => void (await service.startRunner(env)),
  control: async (env: Record<string, string> = {}) => void (await service.startControl(env))
}

type Name = keyof typeof start

/** What a process does by the clock would be cut off as well, again and again. */
const RARELY = { SWEEP_INTERVAL_MS: '60000', BACKLOG_INTERVAL_MS: '60000', STALLED_INTERVAL_MS: '60000' }

/** Puts a process behind the proxy for a while. */
const behindProxy = async <T>(name: Name, work: (kill: () => Promise<void>, revive: () => Promise<void>) => Promise<T>) => {
  const kill = () => service[name]().end('SIGKILL')
  const revive = () => start[name]({ REDIS_URL: proxy.url, ...(name === 'control' && RARELY) })
  await kill()
  await revive()
  const result = await work(kill, revive)
  await kill()
  await start[name]()
  return result
}

/**
 * Does something with a process cut off after 0, 1, 2, … of its writes to Redis and killed there, until it comes through
 * without being cut off. Says how many crashes there were.
 */
const atEveryStep = (name: Name, act: (crash: Promise<void>, n: number) => Promise<void>): Promise<number> =>
  behindProxy(name, async (kill, revive) => {
    for (let n = 0; n < MANY; n++) {
      let killed: Promise<void> | undefined
      const crash = new Promise<void>((resolve) => {
        proxy.cutAfter(n, () => {
          killed = kill().then(resolve)
        })
      })
      await act(crash, n)
      if (!killed) {
        proxy.heal()
        return n
      }
      await killed
      proxy.heal()
      await revive()
    }
    return assert.fail(`it was cut off even after ${MANY} writes`)
  })

test('an API process killed at any write of an acceptance leaves all or nothing', async () => {
  let answered: Generation | undefined
  const crashes = await atEveryStep('api', async () => {
    answered = await post('/generate', webhook())
  })
  assert.ok(crashes > 0)
  assert.ok(answered)
  const all = await assertAllTold()
  assert.ok(all.some(({ id }) => id === answered?.id))
})

test('with an idempotency key a client that asks until it is answered has one generation', async () => {
  const known = new Set((await list()).map(({ id }) => id))
  const answers: (Generation | undefined)[] = []
  const crashes = await atEveryStep('api', async (_crash, n) => {
    answers.push(await post('/generate', webhook(), { 'idempotency-key': `crash-${n}` }))
  })
  for (let n = 0; n <= crashes; n++) answers[n] = await post('/generate', webhook(), { 'idempotency-key': `crash-${n}` })
  const made = (await assertAllTold()).filter(({ id }) => !known.has(id)).map(({ id }) => id)
  assert.deepEqual(made.toSorted(), answers.map((answer) => answer?.id ?? 'none').toSorted())
})

test('an API process killed at any write of a cancellation leaves it canceled or as it was', async () => {
  await service.runner().end()
  const waiting = await Promise.all(Array.from({ length: 20 }, async () => (await service.client.generate(webhook())).id))
  let id = ''
  const crashes = await atEveryStep('api', async () => {
    id = waiting.shift() ?? assert.fail('more steps than generations')
    await post(`/v1/generations/${id}/cancel`, {})
  })
  assert.ok(crashes > 1)
  for (const { id: other, status } of await list()) if (status === 'queued') await service.client.cancel(other)
  const all = await assertAllTold()
  assert.equal(all.find((generation) => generation.id === id)?.status, 'canceled')
  await service.startRunner()
})

test('a runner killed at any write leaves its generation to another', async () => {
  const crashes = await atEveryStep('runner', async (crash, n) => {
    const made = (await post('/generate', webhook())) ?? assert.fail('not accepted')
    // Every third is canceled as soon as it runs.
    const ended = until('it ended', async () => {
      const { status } = await service.client.read(made.id)
      if (n % 3 === 2 && status === 'running') await service.client.cancel(made.id)
      return ['succeeded', 'canceled', 'failed'].includes(status)
    })
    await Promise.race([ended, crash])
    ended.catch(() => undefined)
  })
  assert.ok(crashes > 3)
  await assertAllTold()
})

test('a control process killed at any write makes its deliveries again', async () => {
  const crashes = await atEveryStep('control', async (crash) => {
    const made = (await post('/generate', webhook())) ?? assert.fail('not accepted')
    await service.client.finish(made.id)
    const told = until('it is told of', async () => (await service.client.read(made.id)).webhook?.status === 'delivered')
    await Promise.race([told, crash])
    told.catch(() => undefined)
  })
  assert.ok(crashes > 3)
  await assertAllTold()
})
