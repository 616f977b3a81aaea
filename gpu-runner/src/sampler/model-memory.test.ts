import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { JobError } from '../errors.ts'
import type { ServedModel } from '../families/family.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { keyOf } from '../model/model-ref.ts'
import { changeManifest, copyModel } from '../testing/change-model.ts'
import { tinyModels } from '../testing/tiny-models.ts'
import type { MemoryListener } from './model-memory.ts'
import { type Batch, Sampler, type SamplerOptions } from './sampler.ts'

const FORM: SamplerOptions['form'] = { form: 'step', threads: 2, precision: null, cache: null }
const FUSED: SamplerOptions['form'] = { form: 'fused', provider: 'cpu', float: 'float', ladder: [2] }
const REQUEST = { label: 2, cfg: 3, topK: 0, topP: 1, smooth: false, schedule: null }

/** What is in memory by what the listener was told, and the most that ever was. */
const account = () => {
  const inMemory = new Map<string, number>()
  const events: string[] = []
  let most = 0
  const listener: MemoryListener = {
    loaded: (model, { bytes }) => {
      events.push(`+${model.revision.slice(-4)}`)
      inMemory.set(keyOf(model), bytes)
      most = Math.max(
        most,
        [...inMemory.values()].reduce((sum, each) => sum + each, 0)
      )
    },
    loadFailed: (model) => events.push(`!${model.revision.slice(-4)}`),
    left: (model) => inMemory.delete(keyOf(model)) && events.push(`-${model.revision.slice(-4)}`)
  }
  return { listener, inMemory, events, most: () => most }
}

const open = async (t: TestContext, models: readonly ServedModel[], options: Partial<SamplerOptions> = {}) => {
  const told = account()
  const base: SamplerOptions = { form: FORM, timeoutMs: 60_000, log: pino({ level: 'silent' }), listener: told.listener }
  const sampler = await Sampler.start(models, { ...base, ...options })
  t.after(() => sampler.close())
  const sample = (model: ServedModel, others: Partial<Batch> & { seed?: number } = {}) =>
    sampler.sample({
      model,
      images: [0, 1].map((index) => ({ ...REQUEST, seed: (others.seed ?? 0) + index })),
      onScale: () => undefined,
      ...others
    })
  const pictures = async (model: ServedModel, seed: number) =>
    (await sample(model, { seed }).result).images.map(({ pixels, tokens }) => ({ pixels, tokens }))
  return { sampler, sample, pictures, ...told }
}

const roomFor = (models: readonly ServedModel[], form: SamplerOptions['form'] = FORM) =>
  models.reduce((sum, model) => sum + model.memoryBytes(form), 0)
const tail = ({ revision }: ServedModel) => revision.slice(-4)

for (const form of [FORM, FUSED]) {
  test(`in the ${form.form} form three models with room for two make what they make without a limit, and never take more`, async (t) => {
    const models = await tinyModels(t)
    const memoryBytes = roomFor(models.slice(0, 2), form)
    const free = await open(t, models, { form })
    const tight = await open(t, models, { form, memoryBytes })
    assert.equal(free.inMemory.size, 3)
    assert.deepEqual([...tight.inMemory.keys()], models.slice(0, 2).map(keyOf))
    for (let round = 0; round < 4; round++) {
      for (const model of models) assert.deepEqual(await tight.pictures(model, round), await free.pictures(model, round))
    }
    assert.equal(tight.most(), memoryBytes)
    // Going round with room for two, each is the one that was used longest ago when its successor's turn has come.
    assert.equal(
      tight.events.filter((event) => event.startsWith('-')).length,
      tight.events.filter((event) => event.startsWith('+')).length - 2
    )
    assert.equal(free.events.length, 3)
  })
}

test('the model that was used longest ago leaves', async (t) => {
  const [a, b, c] = await tinyModels(t)
  const { pictures, events } = await open(t, [a, b, c], { memoryBytes: roomFor([a, b]) })
  await pictures(b, 0)
  await pictures(a, 0)
  await pictures(c, 0)
  await pictures(a, 0)
  assert.deepEqual(events.slice(2), [`-${tail(b)}`, `+${tail(c)}`])
})

test('batches asked for at once are made one after another: no model leaves while it is at work', async (t) => {
  const models = await tinyModels(t)
  const { sample, events, inMemory } = await open(t, models, { memoryBytes: roomFor(models.slice(0, 1)) })
  const scales: string[] = []
  const onScale = (model: ServedModel) => (scale: number) => {
    assert.deepEqual([...inMemory.keys()], [keyOf(model)])
    scales.push(`${tail(model)}:${scale}`)
  }
  const made = await Promise.all([...models, ...models].map((model) => sample(model, { onScale: onScale(model) }).result))
  assert.ok(made.every(({ images }) => images.length === 2))
  assert.equal(scales.length, 6 * 3)
  assert.equal(events.filter((event) => event.startsWith('+')).length, 6)
})

test('a model that does not fit alone is refused at the start, in a sentence that says what to set', async (t) => {
  const [one, other] = await tinyModels(t)
  await assert.rejects(open(t, [one, other], { memoryBytes: one.memoryBytes(FORM) - 1 }), {
    name: 'ModelError',
    message:
      /^MODELS_MEMORY is \d+ kB, and the weights of one@\S+ alone take \d+ kB: set it to more, or take the model out of MODELS\.$/
  })
})

const residentBytes = async (pid: number | undefined): Promise<number> =>
  1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])

test(
  'the memory of models that have left is given back: after many rounds the process is as large as after one',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const models: ServedModel[] = []
    for (const id of ['a', 'b', 'c']) {
      const folder = await copyModel(t)
      await changeManifest(folder, (manifest) => (manifest.id = id))
      models.push(await openServedModel(folder))
    }
    const [first] = models
    assert.ok(first)
    const size = first.memoryBytes(FORM)
    const { sampler, pictures } = await open(t, models, { memoryBytes: size })
    const rounds: number[] = []
    for (let round = 0; round < 4; round++) {
      for (const model of models) await pictures(model, round)
      rounds.push(await residentBytes(sampler.pid))
    }
    const growth = (rounds.at(-1) ?? 0) - (rounds[0] ?? 0)
    // Nine loads more, of which none has left even half of itself behind.
    assert.ok(growth < size / 2, `${JSON.stringify(rounds)}, of models of ${size}`)
  }
)

test('a batch whose images all leave while its model is loaded is not made; the model stays for others', async (t) => {
  const [one, other] = await tinyModels(t)
  const { sample, inMemory } = await open(t, [one, other], { memoryBytes: roomFor([one]) })
  const begun: string[] = []
  const leaving = sample(other, { onLoading: () => leaving.drop([0, 1]), onStart: () => begun.push('left') })
  const staying = sample(other, { onLoading: () => begun.push('loaded again'), onStart: () => begun.push('stayed') })
  assert.deepEqual((await leaving.result).images, [])
  assert.equal((await staying.result).images.length, 2)
  assert.deepEqual([begun, [...inMemory.keys()]], [['stayed'], [keyOf(other)]])
})

test('a process that is killed while it loads a model fails that batch alone, and no model is lost', async (t) => {
  const models = await tinyModels(t)
  const [one, other, revised] = models
  const before = await open(t, models)
  const { sampler, sample, pictures, inMemory } = await open(t, models, { memoryBytes: roomFor([one, other]), now: passing() })
  const kill = () => process.kill(sampler.pid ?? 0, 'SIGKILL')
  const killed = sample(revised, { onLoading: kill }).result
  const waiting = pictures(one, 7)
  await assert.rejects(killed, { code: 'model_load_failed', message: /process died while it loaded the model/ })
  assert.deepEqual(await waiting, await before.pictures(one, 7))
  assert.ok(inMemory.has(keyOf(one)))
  assert.deepEqual(await pictures(revised, 7), await before.pictures(revised, 7))
})

/** A clock on which every pause is over when it is looked at next. */
const passing = () => {
  let nowMs = 0
  return () => (nowMs += 3_600_000)
}

const weights = ({ files: [file] }: ServedModel): string => file ?? assert.fail('a model has files')

test('a model whose file is gone fails what needs it, and is loaded once the file is back; others are served meanwhile', async (t) => {
  const [one, other, revised] = await tinyModels(t)
  const models = [one, other, revised]
  const before = await open(t, models)
  const { pictures, events } = await open(t, models, { memoryBytes: roomFor([one, other]), now: passing() })
  const file = weights(revised)
  await rename(file, `${file}.away`)
  await assert.rejects(pictures(revised, 3), { code: 'model_load_failed', message: 'The model could not be loaded.' })
  assert.deepEqual(await pictures(other, 3), await before.pictures(other, 3))
  await rename(`${file}.away`, file)
  assert.deepEqual(await pictures(revised, 3), await before.pictures(revised, 3))
  assert.deepEqual(events.slice(2), [`!${tail(revised)}`, `-${tail(one)}`, `+${tail(revised)}`])
})

test('right after a failure it is not tried again, so that failing loads hold nothing up', async (t) => {
  const [one, other] = await tinyModels(t)
  const { sample, events } = await open(t, [one, other], { memoryBytes: roomFor([one]), now: () => 0 })
  await rename(weights(other), `${weights(other)}.away`)
  for (let times = 0; times < 3; times++) await assert.rejects(sample(other).result, { code: 'model_load_failed' })
  assert.deepEqual(events.slice(1), [`!${tail(other)}`])
})

test('weights that were changed after the start are not loaded: those of the revision are', async (t) => {
  const [one, other] = await tinyModels(t)
  const before = await open(t, [one, other])
  const { pictures } = await open(t, [one, other], { memoryBytes: roomFor([one]), now: passing() })
  const file = weights(other)
  const whole = await readFile(file)
  const changed = Buffer.from(whole)
  changed.fill(0x3c, Math.floor(changed.length / 2), Math.floor(changed.length / 2) + 4_096)
  await writeFile(file, changed)
  await assert.rejects(pictures(other, 1), (error: unknown) => {
    assert.ok(error instanceof JobError && error.code === 'model_load_failed')
    return /sha256/.test(String(error.cause))
  })
  // Written anew, with the content that it had.
  await writeFile(file, whole)
  assert.deepEqual(await pictures(other, 1), await before.pictures(other, 1))
})

test('which models may be made before older requests: those in memory, and all when the last load is long enough ago', async (t) => {
  const [one, other] = await tinyModels(t)
  let nowMs = 0
  const { sampler, sample } = await open(t, [one, other], { memoryBytes: roomFor([one]), now: () => nowMs })
  const ready = () => [sampler.isReady(one), sampler.isReady(other)]
  assert.deepEqual(ready(), [true, true])
  await sample(other, { onLoading: () => setImmediate(() => (nowMs += 500)) }).result
  assert.deepEqual(ready(), [false, true])
  nowMs += 500
  assert.deepEqual(ready(), [true, true])
})
