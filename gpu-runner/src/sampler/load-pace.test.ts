import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoadPace } from './load-pace.ts'

const paced = () => {
  let nowMs = 0
  const pace = createLoadPace(() => nowMs)
  const taking = (ms: number) => async () => void (nowMs += ms)
  const failing = (ms: number) => async () => {
    nowMs += ms
    throw new Error(`failed at ${nowMs}`)
  }
  return { pace, taking, failing, pass: (ms: number) => (nowMs += ms) }
}

test('models in memory are worked with for as long as the last load took before another is loaded', async () => {
  const { pace, taking, pass } = paced()
  assert.ok(pace.mayLoad())
  await pace.timed('a', taking(700))
  assert.ok(!pace.mayLoad())
  pass(699)
  assert.ok(!pace.mayLoad())
  pass(1)
  assert.ok(pace.mayLoad())
})

test('a model that could not be loaded is left alone for a while that grows, and never for longer than a minute', async () => {
  const { pace, failing, pass } = paced()
  const pauses: number[] = []
  for (let times = 0; times < 9; times++) {
    await assert.rejects(pace.timed('a', failing(10)))
    assert.match(String(pace.failureOf('a')), /failed at/)
    assert.equal(pace.failureOf('b'), undefined)
    let pausedMs = 0
    while (pace.failureOf('a') !== undefined && pausedMs < 100_000) pausedMs += 500 * Math.sign(pass(500))
    pauses.push(pausedMs)
  }
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
})

test('a load that fails after a long time is not tried again before as much time has passed; one that succeeds starts anew', async () => {
  const { pace, taking, failing, pass } = paced()
  await assert.rejects(pace.timed('a', failing(30_000)))
  pass(29_999)
  assert.ok(pace.failureOf('a') && !pace.mayLoad())
  pass(1)
  assert.ok(pace.failureOf('a') === undefined && pace.mayLoad())
  await pace.timed('a', taking(5))
  await assert.rejects(pace.timed('a', failing(0)))
  pass(1_000)
  assert.equal(pace.failureOf('a'), undefined)
})
