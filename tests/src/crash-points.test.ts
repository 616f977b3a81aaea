import assert from 'node:assert/strict'
import { after, afterEach, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Generation } from '@nextscale/openapi'
import { eachPage } from './support/each-page.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import type { TestProcess } from './support/process.ts'
import { type RedisProxy, type Side, startRedisProxy } from './support/redis-proxy.ts'
import { type ScriptedReceiver, startScriptedReceiver } from './support/scripted-receiver.ts'
import { until } from './support/until.ts'

/** More commands than any operation here takes. */
const MANY = 80
const folder = (path: string) => fileURLToPath(new URL(`../../gpu-runner/${path}`, import.meta.url))
const QUICK = 'models/emoji-32'
/** Makes 16 pictures in some seconds. */
const SLOW = 'var-d2-256'
const DEADLINE_SECONDS = 2
const TERMINAL = ['succeeded', 'failed', 'canceled', 'expired']

let service: Deployment
let receiver: ScriptedReceiver
let proxy: RedisProxy
before(async () => {
  const quick = { SWEEP_INTERVAL_MS: '200', LOCK_DURATION_MS: '1000', STALLED_INTERVAL_MS: '500', WEBHOOK_TIMEOUT_MS: '500' }
  const models = [QUICK, `fixtures/${SLOW}`].map(folder).join(',')
  service = await deploy({ env: { EGRESS: 'any', MODELS: models, MAX_BATCH: '1', CONCURRENCY: '1', ...quick } })
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

/** Starts a process that is down, behind the proxy. */
const startBehind = async (name: Name, env: Record<string, string> = {}): Promise<void> => {
  const starting = processes[name].start({ ...env, REDIS_URL: proxy.url })
  crashing = processes[name].get()
  await starting
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
/** Asks until it is answered, as a client does that is told to try again; not an API that is dead. */
const insist = (ask: () => Promise<Generation | undefined>): Promise<Generation> =>
  until('it is accepted', async () => {
    const answered = await ask()
    if (!answered && !service.api().isRunning()) throw new Error('the API is gone')
    return answered
  })
const mustGenerate = async (body?: object): Promise<string> => (await insist(() => generate(body))).id

const readAll = async (): Promise<Generation[]> => {
  const all: Generation[] = []
  await eachPage<Generation>(service.client, '/v1/generations?limit=100', (page) => void all.push(...page))
  return all
}

/** Asked so often that it is not held against the contract each time. */
const peek = async (id: string): Promise<Generation> =>
  (await (await fetch(`${service.baseUrl}/v1/generations/${id}`)).json()) as Generation
const hasEnded = (id: string) => async () => TERMINAL.includes((await peek(id)).status)
const isDelivered = (id: string) => async () => (await peek(id)).webhook?.status === 'delivered'

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
  /**
   * Begins with the process down, and ends where its commands begin to count. Says what counted commands have in them, if
   * not all count.
   */
  prepare: () => Promise<string | undefined>
  /** Resolves when the operation came through; may fail when the process is killed. */
  act: () => Promise<unknown>
}

const killedSoon = (killed: Promise<true>, error: unknown) =>
  Promise.race([killed, sleep(2000, undefined, { ref: false }).then(() => Promise.reject(error))])

/**
 * Does something again and again, with the process killed at its first, second, … command to Redis, until it comes through
 * before its nth. Says how often it was killed.
 */
const killAtEveryCommand = async (t: TestContext, name: Name, side: Side, { prepare, act }: Step): Promise<void> => {
  for (let nth = 1; nth < MANY; nth++) {
    await processes[name].get().end('SIGKILL')
    proxy.open()
    const about = await prepare()
    let isHit = false
    const killed = new Promise<true>((resolve) => {
      proxy.stopAt({ nth, side, about }, () => {
        isHit = true
        // The signal is sent before anything else can happen.
        const ended = processes[name].get().end('SIGKILL')
        void ended.then(() => resolve(true))
      })
    })
    const through = act().then(() => false as const)
    // What fails because of the kill does so a little before or after it is known.
    const wasKilled = await Promise.race([killed, through.catch((error: unknown) => killedSoon(killed, error))])
    if (wasKilled) continue
    assert.ok(nth > 1, 'it was never killed')
    t.diagnostic(`killed at ${nth - 1} commands`)
    proxy.open()
    // What comes after the operation may be its nth.
    if (!isHit) return
    await killed
    return startBehind(name)
  }
  assert.fail(`it was not through after ${MANY} commands`)
}

const nothing = () => Promise.resolve()

/** What the ids of a generation and of the delivery of its end have in common. */
const common = (id: string) => id.slice('gen_'.length)

// Before the next command Redis knows what it knows after the last, so one side tells all of what is kept there; both are
// told apart only where a client waits for the answer.
for (const side of ['before', 'after'] as const) {
  test(`an API killed ${side} any command of an acceptance leaves all of it or nothing`, async (t) => {
    const prepare = () => startBehind('api').then(() => undefined)
    await killAtEveryCommand(t, 'api', side, { prepare, act: async () => mustGenerate() })
    await assertAllTold()
  })
}

test('an API killed after any command of one with an idempotency key makes one, however often it is asked', async (t) => {
  const known = new Set((await readAll()).map(({ id }) => id))
  let asked = 0
  const ask = (key: number) => insist(() => generate({}, { 'idempotency-key': `after-${key}` }))
  const prepare = () => startBehind('api').then(() => undefined)
  await killAtEveryCommand(t, 'api', 'after', { prepare, act: () => ask(asked++) })
  const ids: string[] = []
  for (let key = 0; key < asked; key++) ids.push((await ask(key)).id)
  const made = (await readAll()).map(({ id }) => id).filter((id) => !known.has(id))
  assert.deepEqual(made.toSorted(), ids.toSorted())
  await assertAllTold()
})

test('a control process killed after any command of a delivery makes it again, under the same id', async (t) => {
  let id = ''
  await killAtEveryCommand(t, 'control', 'after', {
    prepare: async () => {
      id = await mustGenerate()
      await until(`${id} has ended`, hasEnded(id))
      return common(id)
    },
    act: async () => {
      await startBehind('control')
      await until(`${id} is delivered`, isDelivered(id))
    }
  })
  await assertAllTold()
})

test('a runner killed before any command of a generation leaves it to another', async (t) => {
  let id = ''
  await killAtEveryCommand(t, 'runner', 'before', {
    prepare: async () => {
      id = await mustGenerate()
      return common(id)
    },
    act: async () => {
      await startBehind('runner', { MODELS: folder(QUICK) })
      await until(`${id} has ended`, hasEnded(id))
    }
  })
  await assertAllTold()
})

test('an API killed at any command of a cancel leaves it canceled, or as it was', async (t) => {
  await service.runner().end()
  let id = ''
  await killAtEveryCommand(t, 'api', 'before', {
    prepare: async () => {
      await startBehind('api')
      id = await mustGenerate()
      return common(id)
    },
    act: () => insist(() => post(`/v1/generations/${id}/cancel`))
  })
  // Nobody asks again, and no runner is up: what is marked as canceled is told of all the same.
  await until('what was canceled is told of', async () => {
    const canceled = (await readAll()).filter((generation) => generation.status === 'canceled')
    return canceled.length > 0 && canceled.every(({ webhook }) => webhook?.status === 'delivered')
  })
  await service.startRunner()
  await assertAllTold()
})

test('a control process killed at any command of a sweep loses nothing that lapsed', async (t) => {
  await service.runner().end()
  let id = ''
  await killAtEveryCommand(t, 'control', 'before', {
    prepare: async () => {
      id = await mustGenerate({ start_deadline_seconds: 1 })
      await sleep(1000)
      return common(id)
    },
    act: async () => {
      await startBehind('control')
      await until(`${id} is delivered`, isDelivered(id))
    }
  })
  await assertAllTold()
})

/** When the end of one that was made then is near. */
const nearDeadline = (createdAt: string) => sleep(Date.parse(createdAt) + DEADLINE_SECONDS * 1000 - 150 - Date.now())

for (const [name, body, near, end] of [
  ['a cancel', {}, nothing, (id: string) => insist(() => post(`/v1/generations/${id}/cancel`))],
  // Previews take longer than the pictures, so that it is not through before the deadline.
  ['a deadline', { deadline_seconds: DEADLINE_SECONDS, previews: [7, 8] }, nearDeadline, nothing]
] as const) {
  test(`a runner killed while ${name} ends a generation leaves that to another`, async (t) => {
    let id = ''
    await killAtEveryCommand(t, 'runner', 'before', {
      prepare: async () => {
        await startBehind('runner')
        id = await mustGenerate({ model: SLOW, num_images: 16, ...body })
        const running = await until('it runs', async () => {
          const generation = await service.client.read(id)
          return generation.status === 'running' && generation
        })
        await near(running.created_at)
        return common(id)
      },
      act: async () => {
        await end(id)
        await until(`${id} has ended`, hasEnded(id))
      }
    })
    await assertAllTold()
  })
}
