import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Generation } from '@nextscale/openapi'
import { type Deployment, deploy } from './support/deployment.ts'
import type { TestProcess } from './support/process.ts'
import { type RedisProxy, type Side, startRedisProxy } from './support/redis-proxy.ts'
import { type ScriptedReceiver, startScriptedReceiver } from './support/scripted-receiver.ts'
import { until } from './support/until.ts'

/** More commands than any operation here takes. */
const MANY = 80
const TERMINAL = ['succeeded', 'failed', 'canceled', 'expired']

let service: Deployment
let receiver: ScriptedReceiver
let proxy: RedisProxy
before(async () => {
  const quick = { SWEEP_INTERVAL_MS: '200', LOCK_DURATION_MS: '1000', STALLED_INTERVAL_MS: '500', WEBHOOK_TIMEOUT_MS: '500' }
  service = await deploy({ env: { EGRESS: 'any', MAX_BATCH: '1', CONCURRENCY: '1', ...quick } })
  receiver = await startScriptedReceiver()
  proxy = await startRedisProxy(service.redis.url)
})
after(async () => {
  await receiver?.stop()
  await service.close()
  await proxy?.close()
})

const processes = {
  api: { get: () => service.api(), start: (env?: Record<string, string>) => service.startApi(env) },
  runner: { get: () => service.runner(), start: (env?: Record<string, string>) => service.startRunner(env) },
  control: { get: () => service.control(), start: (env?: Record<string, string>) => service.startControl(env) }
}
type Name = keyof typeof processes

/** The process behind the proxy. */
let crashing: TestProcess | undefined

/** Starts a process anew, behind the proxy. */
const revive = async (name: Name): Promise<void> => {
  await processes[name].get().end('SIGKILL')
  proxy.open()
  crashing = await processes[name].start({ REDIS_URL: proxy.url })
  await until('the API reads from Redis', async () => (await service.client.send('get', '/v1/generations')).status === 200)
}
/** Each test begins with all three up, and none behind the proxy. */
afterEach(async () => {
  for (const { get, start } of Object.values(processes)) {
    if (get() === crashing) await crashing.end('SIGKILL')
    if (!get().isRunning()) await start()
  }
})

/** Ids of what a client was told is accepted. */
const accepted = new Set<string>()

/** Plain HTTP, since in a crash any answer and none may come. */
const post = async (path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Generation | undefined> => {
  try {
    const answer = await fetch(`${service.baseUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000)
    })
    if (answer.status !== 202 && answer.status !== 200) return undefined
    const generation = (await answer.json()) as Generation
    accepted.add(generation.id)
    return generation
  } catch {
    return undefined
  }
}
const generate = async (body: object = {}, headers?: Record<string, string>) =>
  post('/generate', { webhook: { url: receiver.url }, ...body }, headers)
const mustGenerate = async (body?: object): Promise<string> => (await generate(body))?.id ?? assert.fail('it was not accepted')

const readAll = async (): Promise<Generation[]> => {
  const all: Generation[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = await service.client.send('get', `/v1/generations?limit=100${cursor && `&cursor=${cursor}`}`)
    const { data, next_cursor: next } = page.body as { data: Generation[]; next_cursor: string | null }
    all.push(...data)
    cursor = next
  }
  return all
}

const hasEnded = (id: string) => async () => TERMINAL.includes((await service.client.read(id)).status)
const isDelivered = (id: string) => async () => (await service.client.read(id)).webhook?.status === 'delivered'

/**
 * What must hold whatever was killed: all that was accepted is known; all that is known ends, and its end was told to the
 * receiver, under one id.
 */
const assertAllTold = async (): Promise<void> => {
  const known = await readAll()
  for (const id of accepted)
    assert.ok(
      known.some((generation) => generation.id === id),
      `${id} was accepted and is not known`
    )
  for (const { id } of known) {
    await until(`${id} has ended`, hasEnded(id))
    await until(`the end of ${id} is delivered`, isDelivered(id))
    const { status } = await service.client.read(id)
    const told = receiver.about(id)
    assert.ok(told.length > 0, `nobody was told of ${id}`)
    for (const { id: deliveryId, event } of told)
      assert.deepEqual([deliveryId, event.type], [id.replace('gen_', 'whd_'), `generation.${status}`])
  }
}

interface Step {
  /** Begins the operation anew, and says how one knows that it came through. */
  prepare: () => Promise<void>
  /** Resolves when the operation came through; may fail when the process is killed. */
  act: () => Promise<unknown>
}

const killedSoon = (killed: Promise<true>, error: unknown) =>
  Promise.race([killed, sleep(2000, undefined, { ref: false }).then(() => Promise.reject(error))])

/**
 * Does something again and again, with the process killed at its first, second, … command to Redis, until it comes through
 * before its nth. Returns how often it was killed.
 */
const killAtEveryCommand = async (name: Name, side: Side, { prepare, act }: Step): Promise<number> => {
  for (let nth = 1; nth < MANY; nth++) {
    await revive(name)
    await prepare()
    const killed = new Promise<true>((resolve) => {
      // The signal is sent before anything else can happen.
      proxy.stopAt(
        nth,
        side,
        () =>
          void processes[name]
            .get()
            .end('SIGKILL')
            .then(() => resolve(true))
      )
    })
    const through = act().then(() => false as const)
    // What fails because of the kill does so a little before or after it is known.
    const wasKilled = await Promise.race([killed, through.catch((error: unknown) => killedSoon(killed, error))])
    if (!wasKilled) return nth - 1
  }
  return assert.fail(`it was not through after ${MANY} commands`)
}

const nothing = () => Promise.resolve()

for (const side of ['before', 'after'] as const) {
  test(`an API killed ${side} any command of an acceptance leaves all of it or nothing`, async () => {
    const crashes = await killAtEveryCommand('api', side, { prepare: nothing, act: async () => mustGenerate() })
    assert.ok(crashes > 0)
    await revive('api')
    await assertAllTold()
  })

  test(`an API killed ${side} any command of one with an idempotency key makes one, however often it is asked`, async () => {
    const known = new Set((await readAll()).map(({ id }) => id))
    let asked = 0
    const ask = async (key: number) => (await generate({}, { 'idempotency-key': `${side}-${key}` })) ?? assert.fail('no answer')
    const crashes = await killAtEveryCommand('api', side, { prepare: nothing, act: () => ask(asked++) })
    assert.ok(crashes > 0)
    await revive('api')
    const ids: string[] = []
    for (let key = 0; key < asked; key++) ids.push((await ask(key)).id)
    const made = (await readAll()).map(({ id }) => id).filter((id) => !known.has(id))
    assert.deepEqual(made.toSorted(), ids.toSorted())
    await assertAllTold()
  })

  test(`a control process killed ${side} any command of a delivery makes it again, under the same id`, async () => {
    let id = ''
    const crashes = await killAtEveryCommand('control', side, {
      prepare: async () => {
        if (id) await until(`${id} is delivered`, isDelivered(id))
        await service.runner().end()
        id = await mustGenerate()
      },
      act: async () => {
        await service.startRunner()
        await until(`${id} is delivered`, isDelivered(id))
      }
    })
    assert.ok(crashes > 1)
    await assertAllTold()
  })
}

test('an API killed at any command of a cancel leaves it canceled, or as it was', async () => {
  await service.runner().end()
  let id = ''
  const crashes = await killAtEveryCommand('api', 'before', {
    prepare: async () => {
      id = await mustGenerate()
    },
    act: async () => (await post(`/v1/generations/${id}/cancel`)) ?? assert.fail('no answer')
  })
  assert.ok(crashes > 1)
  await revive('api')
  // Nobody asks again, and no runner is up: what is marked as canceled is told of all the same.
  await until('what was canceled is told of', async () => {
    const canceled = (await readAll()).filter((generation) => generation.status === 'canceled')
    return canceled.length > 0 && canceled.every(({ webhook }) => webhook?.status === 'delivered')
  })
  await service.startRunner()
  await assertAllTold()
})

test('a control process killed at any command of a sweep loses nothing that lapsed', async () => {
  await service.runner().end()
  let id = ''
  const crashes = await killAtEveryCommand('control', 'before', {
    prepare: async () => {
      id = await mustGenerate({ start_deadline_seconds: 1 })
    },
    act: () => until(`${id} is delivered`, isDelivered(id))
  })
  assert.ok(crashes > 1)
  await assertAllTold()
})

for (const [name, body, meanwhile] of [
  ['a generation', {}, nothing],
  ['one that is canceled', { num_images: 16 }, (id: string) => post(`/v1/generations/${id}/cancel`)]
] as const) {
  test(`a runner killed at any command of ${name} leaves it to another`, async () => {
    let id = ''
    const crashes = await killAtEveryCommand('runner', 'before', {
      prepare: async () => {
        if (id) await until(`${id} has ended`, hasEnded(id))
        if (meanwhile === nothing) return
        id = await mustGenerate(body)
        await until('it runs', async () => (await service.client.read(id)).status === 'running')
      },
      act: async () => {
        if (meanwhile === nothing) id = await mustGenerate(body)
        await meanwhile(id)
        await until(`${id} has ended`, hasEnded(id))
      }
    })
    assert.ok(crashes > 1)
    await assertAllTold()
  })
}
