import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerateImageProgress, Generation, Stage } from '@nextscale/openapi'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { formatPosition, parsePosition, type Position, positionOf } from './event-position.ts'
import { eventsAfter, isBehind, type PositionedEvent } from './events-after.ts'
import type { Found } from './find.ts'
import { toGeneration } from './resource.ts'
import { settle } from './settle.ts'
import type { JobSnapshot } from './snapshot.ts'

const ID = `gen_${'ab2'.repeat(8)}cd`
const ASKED = [0, 2, 5]
const IMAGES = 2

const store: Pick<ObjectStore, 'link'> = {
  link: async (key, { base }) => ({ url: `${base}/${key}`, expiresAt: 1_800_000_000_000 })
}
const context = { store, base: 'http://test', streamTokens: { mint: () => undefined, verify: async () => undefined } }

const queued: JobSnapshot = {
  kind: 'job',
  id: ID,
  payload: {
    version: 1,
    owner: 'local',
    metadata: {},
    label: null,
    input: {
      model: 'm',
      model_revision: 'r',
      class_label: null,
      class_name: null,
      num_images: IMAGES,
      seed: 1,
      cfg: 1,
      top_k: 0,
      top_p: 1,
      output: { format: 'png', quality: null, metadata: true },
      priority: 'normal',
      previews: ASKED
    }
  },
  place: 'waiting',
  ahead: 0,
  pool: 'default',
  createdAt: 1,
  startedAt: null,
  finishedAt: null,
  returnValue: null,
  failedReason: null,
  progress: null,
  attempt: 0,
  runs: 0,
  mark: null
}

const stored = (index: number, scale: number) => ({
  index,
  scale,
  key: `${index}-${scale}`,
  content_type: 'image/webp',
  width: 8,
  height: 8,
  bytes: 9
})

const succeeded = JSON.stringify({
  outcome: 'succeeded',
  outputs: [0, 1].map((index) => ({
    index,
    seed: index,
    key: `${index}`,
    content_type: 'image/png',
    width: 8,
    height: 8,
    bytes: 9,
    sha256: 'a'
  })),
  metrics: { sample_ms: 1, scale_ms: [1], decode_ms: 1, encode_ms: 1, upload_ms: 1, batch_size: 2 }
})

type Random = (below: number) => number
/** A generator with a seed, so that a failure can be run again. */
const randomOf = (seed: number): Random => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const markOf = ({ payload }: JobSnapshot) => ({ canceled_at: 5, created_at: 1, payload })

/** The states of one run, to its hand-back, its failure or its end. What it reports replaces what the run before did. */
const runStates = (before: JobSnapshot, random: Random): JobSnapshot[] => {
  const run = before.runs + 1
  let now: JobSnapshot = { ...before, place: 'active', runs: run, attempt: before.attempt + 1, startedAt: run }
  const states = [now]
  const previews: ReturnType<typeof stored>[] = []
  const report = (stage: Stage, tokens: number) => {
    const progress: GenerateImageProgress = {
      stage,
      run,
      progress: { scale: 0, scales: 7, tokens, tokens_total: 99 },
      previews: [...previews]
    }
    states.push((now = { ...now, progress }))
  }
  report('batching', 0)
  for (let tokens = 1; tokens < 8; tokens++) {
    if (random(8) === 0) states.push((now = { ...now, mark: now.mark ?? markOf(now) }))
    if (random(8) === 0) return [...states, { ...now, place: 'waiting', attempt: now.attempt - random(2) }]
    report('sampling', tokens)
    const index = random(IMAGES)
    const scale = ASKED[random(ASKED.length)] ?? 0
    if (!previews.some((preview) => preview.index === index && preview.scale === scale)) previews.push(stored(index, scale))
    if (random(2) === 0) report('sampling', tokens)
  }
  report('encoding', 8)
  report('uploading', 8)
  return states
}

const withEnd = (last: JobSnapshot, random: Random): JobSnapshot => {
  const finished = { ...last, place: 'none' as const, finishedAt: 9e12 }
  if (last.mark) return { ...finished, returnValue: JSON.stringify({ outcome: 'canceled' }) }
  return (
    [
      { ...finished, returnValue: succeeded },
      { ...finished, returnValue: succeeded },
      { ...finished, returnValue: JSON.stringify({ outcome: 'expired' }) },
      { ...finished, failedReason: 'broken' }
    ][random(4)] ?? finished
  )
}

const history = (random: Random): Found[] => {
  const states: JobSnapshot[] = [queued]
  for (let run = 0; run < 1 + random(3); run++) {
    const last = states.at(-1) ?? queued
    if (last.place === 'waiting' && !last.mark) states.push(...runStates(last, random))
  }
  const last = states.at(-1) ?? queued
  // One that waits with a mark has ended.
  if (last.place === 'active' || !last.mark) states.push(withEnd(last, random))
  return states.map((snapshot) => ({ snapshot, standing: settle(snapshot) }))
}

interface Heard {
  position: Position
  events: PositionedEvent[]
}

const show = (found: Found): Promise<Generation> => toGeneration(found.snapshot, found.standing, context)

/** What a reader hears who looks at every state that `looksAt` lets through, and is cut off after events as `cut` says. */
const listen = async (states: readonly Found[], looksAt: (state: number) => boolean, cut: () => boolean): Promise<Heard> => {
  const [first] = states
  assert.ok(first)
  let position = positionOf(first)
  const heard: PositionedEvent[] = []
  for (const [number, found] of states.entries()) {
    const isLast = number === states.length - 1
    if (!isLast && !looksAt(number)) continue
    const target = positionOf(found)
    const shown = await show(found)
    for (;;) {
      const due = eventsAfter(position, target, shown)
      assert.equal(isBehind(position, target), due.length > 0)
      const takes = due.findIndex(cut)
      for (const event of takes < 0 ? due : due.slice(0, takes + 1)) {
        heard.push(event)
        // As it comes back in Last-Event-ID, to whichever process.
        const back = parsePosition(ID, formatPosition(ID, event.position))
        assert.deepEqual(back, event.position)
        position = back ?? position
      }
      if (takes < 0 || position.ended) break
    }
    if (position.ended) break
  }
  return { position, events: heard }
}

const named = (events: readonly PositionedEvent[], name: PositionedEvent['name']) =>
  events.filter((event) => event.name === name).map(({ data }) => data)

const placeOf = (data: unknown) => JSON.stringify(data, ['index', 'scale'])

test('a stream that is cut after any event and resumed is the one that was not cut', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const states = history(randomOf(seed))
    const whole = await listen(
      states,
      () => true,
      () => false
    )
    const chance = randomOf(seed + 1000)
    const resumed = await listen(
      states,
      () => true,
      () => chance(2) === 0
    )
    assert.deepEqual(resumed.events, whole.events, `seed ${seed}`)
  }
})

test('a reader who misses states misses no picture, no preview that is still there, and hears nothing twice', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const states = history(randomOf(seed))
    const chance = randomOf(seed + 2000)
    const looks = new Set([...states.keys()].filter(() => chance(3) === 0))
    const whole = await listen(
      states,
      () => true,
      () => false
    )
    const { events, position } = await listen(
      states,
      (state) => looks.has(state),
      () => chance(2) === 0
    )
    assert.ok(position.ended, `seed ${seed}`)
    assert.equal(events.at(-1)?.name, 'end')
    for (const name of ['output', 'end'] as const)
      assert.deepEqual(named(events, name), named(whole.events, name), `seed ${seed}`)
    assert.deepEqual(named(events, 'status').at(-1), named(whole.events, 'status').at(-1))
    const places = named(events, 'preview').map(placeOf)
    assert.equal(new Set(places).size, places.length, `seed ${seed}`)
    const last = states.at(-1)
    assert.ok(last)
    for (const preview of (await show(last)).previews) assert.ok(places.includes(placeOf(preview)), `seed ${seed}`)
    const all = new Set(named(whole.events, 'preview').map(placeOf))
    assert.ok(places.every((place) => all.has(place)))
  }
})

test('the order only grows, in every part', async () => {
  for (let seed = 0; seed < 100; seed++) {
    const { events } = await listen(
      history(randomOf(seed)),
      () => true,
      () => false
    )
    let before: Position | undefined
    for (const { position } of events) {
      if (before) {
        assert.ok(position.phase >= before.phase && position.progress >= before.progress && position.outputs >= before.outputs)
        assert.equal(before.previews & ~position.previews, 0n)
      }
      before = position
    }
  }
})

test('an id of another generation, or none at all, is not a position', () => {
  const id = formatPosition(ID, { phase: 3, progress: 4, previews: 5n, outputs: 0, ended: false })
  assert.ok(parsePosition(ID, id))
  for (const other of [undefined, '', 'x', `${id}.`, id.replace('.', '!'), `${id}\n`])
    assert.equal(parsePosition(ID, other), undefined)
  assert.equal(parsePosition(`gen_${'z'.repeat(26)}`, id), undefined)
})

test('the longest id fits into what Last-Event-ID may be', () => {
  const position = { phase: 2 ** 40, progress: 2 ** 48, previews: 2n ** 1024n - 1n, outputs: 16, ended: true }
  const id = formatPosition(ID, position)
  assert.ok(id.length <= 300, `${id.length}`)
  assert.deepEqual(parsePosition(ID, id), position)
})
