import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Deployment, deploy } from './support/deployment.ts'
import { assertAllSucceeded } from './support/drill.ts'
import { eventSource, hearAll } from './support/event-source.ts'
import { freePort } from './support/free-port.ts'
import { startProcess } from './support/process.ts'
import { until } from './support/until.ts'

const SHIPPED = fileURLToPath(new URL('../../gpu-runner/models/emoji-32', import.meta.url))
const RUNNER = fileURLToPath(new URL('../../gpu-runner/src/start.ts', import.meta.url))
const IDS = ['one', 'two', 'three']
/** Of the shipped model's 40 MB there is room for two. */
const MODELS_MEMORY = '85MB'

let models: string
let service: Deployment
before(async () => {
  models = await mkdtemp(join(tmpdir(), 'nextscale-models-'))
  for (const id of IDS) {
    await cp(SHIPPED, join(models, id), { recursive: true })
    const path = join(models, id, 'manifest.json')
    await writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), id }))
  }
  const env = { MODELS: IDS.map((id) => join(models, id)).join(), CACHE_DIR: 'none', MAX_BATCH: '2' }
  service = await deploy({ env, withRunner: false })
})
after(async () => {
  await service.close()
  await rm(models, { recursive: true })
})

/** A picture of each model in turn, some at once. */
const goRound = async () => {
  const wanted = Array.from({ length: 9 }, (_, place) => ({ model: IDS[place % IDS.length], seed: place, class_label: place }))
  const ids = await Promise.all(wanted.map(async (body) => (await service.client.generate(body)).id))
  const ended = await assertAllSucceeded(service, ids)
  return Promise.all(ended.map(({ outputs }) => service.client.fetchPicture(outputs[0]?.url ?? '')))
}

const scrape = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(5_000) })).text()

const loadsOf = (metrics: string): number =>
  [...metrics.matchAll(/^nextscale_runner_model_load_seconds_count\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0
  )

test('three models with room for two make the same bytes as without a limit, and what is in memory stays within it', async () => {
  await service.startRunner()
  const without = await goRound()
  await service.runner().end()
  const port = await freePort()
  await service.startRunner({ MODELS_MEMORY, METRICS_PORT: String(port) })
  assert.equal(loadsOf(await scrape(port)), 2)
  for (const [place, picture] of (await goRound()).entries()) assert.deepEqual(picture, without[place])
  const metrics = await scrape(port)
  assert.ok(loadsOf(metrics) > 2)
  const held = [...metrics.matchAll(/^nextscale_runner_model_memory_bytes\{.*\} (\d+)$/gm)].map(([, bytes]) => Number(bytes))
  assert.equal(held.length, 3)
  assert.equal(held.filter((bytes) => bytes > 0).length, 2)
})

/** A model that is not in memory by what the runner has logged. */
const absentModel = (): string => {
  const held = new Set<string>()
  for (const [, id, what] of service
    .runner()
    .output()
    .matchAll(/"model":"(\w+)@[^\n]*"msg":"(model loaded|model left the memory)"/g)) {
    if (id === undefined) continue
    if (what === 'model loaded') held.add(id)
    else held.delete(id)
  }
  return IDS.find((id) => !held.has(id)) ?? assert.fail('all are in memory')
}

test('who waits for a model to be loaded is told so', async () => {
  const { urls, id } = await service.client.generate({ model: absentModel() })
  const heard = await hearAll(eventSource(urls.events))
  assert.equal((await service.client.read(id)).status, 'succeeded')
  const stages = heard.map(({ data }) => data['stage'])
  assert.ok(stages.includes('loading_model'), JSON.stringify(stages))
})

const samplerPid = async (): Promise<number> => {
  const { pid } = service.runner()
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0])
}

const isLoading = (id: string) => async () => (await service.client.read(id)).stage === 'loading_model'

test('a sampler process that is killed while it loads a model loses nothing', async () => {
  await service.runner().end()
  // Loading takes a second: ranges of the decoder are learnt anew.
  await service.startRunner({ MODELS_MEMORY, PRECISION: 'int8' })
  const { client } = service
  const { id } = await client.generate({ model: absentModel() })
  await until('it is being loaded', isLoading(id))
  process.kill(await samplerPid(), 'SIGKILL')
  const others = await Promise.all(IDS.map(async (model) => (await client.generate({ model })).id))
  const [killed] = await assertAllSucceeded(service, [id, ...others])
  assert.equal(killed?.attempt, 2)
})

test('a generation that is canceled while its model is loaded ends at once, and the next is made', async () => {
  const { client } = service
  const { id } = await client.generate({ model: absentModel() })
  await until('it is being loaded', isLoading(id))
  await client.cancel(id)
  assert.equal((await client.finish(id)).status, 'canceled')
  await assertAllSucceeded(service, [(await client.generate({ model: absentModel() })).id])
})

test('a model whose weights are away is tried until they are back; the runner serves its other models meanwhile', async () => {
  const { client } = service
  const model = absentModel()
  const file = join(models, model, 'transformer.safetensors')
  await rename(file, `${file}.away`)
  const { id } = await client.generate({ model })
  await until('it has been tried', async () => service.runner().output().includes('"code":"model_load_failed"'))
  const other = IDS.find((each) => each !== model)
  await assertAllSucceeded(service, [(await client.generate({ model: other })).id])
  await until('it says what it waits for', async () => (await client.read(id)).stage === 'waiting_for_model')
  const { status, queue } = await client.read(id)
  assert.equal(status, 'queued')
  assert.match(queue?.message ?? '', /model could not be loaded on the runner that took it up last\. It is tried again/)
  await rename(`${file}.away`, file)
  await assertAllSucceeded(service, [id])
})

for (const [value, sentence] of [
  ['30MB', /^gpu-runner: MODELS_MEMORY is 30\.0 MB, and the weights of one@\S+ alone take 39\.8 MB: set it to more, or take /m],
  ['2 apples', /^gpu-runner: MODELS_MEMORY must be a size with its unit, such as 500MB, 8GB or 1\.5GiB, not "2 apples"\.$/m]
] as const) {
  test(`MODELS_MEMORY=${value} ends the start with a sentence, and is not tried again`, async () => {
    const started = startProcess('sh', ['-c', `"${process.execPath}" "${RUNNER}"; echo "code $?"`], {
      MODELS: IDS.map((id) => join(models, id)).join(),
      CACHE_DIR: 'none',
      MODELS_MEMORY: value,
      REDIS_URL: service.redis.url
    })
    await until('it has ended', async () => !started.isRunning() && started.output().includes('code '))
    assert.match(started.output(), sentence)
    assert.match(started.output(), /^code 78$/m)
  })
}
