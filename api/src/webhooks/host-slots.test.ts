import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Slot } from './host-line.ts'
import { createHostSlots, type HostSlots } from './host-slots.ts'

const PER_HOST = 2

const open = () => {
  const clock = { at: 1_000_000 }
  mock.timers.enable({ apis: ['setTimeout'] })
  const pass = (ms: number) => {
    clock.at += ms
    mock.timers.tick(ms)
  }
  return { slots: createHostSlots({ perHost: PER_HOST, now: () => clock.at }), pass }
}

const take = async (slots: HostSlots, host: string): Promise<Slot> => {
  const slot = await slots.enter(host)
  assert.ok('leave' in slot)
  return slot
}

const parkedFor = async (slots: HostSlots, host: string): Promise<number> => {
  const slot = await slots.enter(host)
  assert.ok('parkMs' in slot)
  return slot.parkMs
}

test.afterEach(() => mock.timers.reset())

test('requests to one host are bounded, and whoever leaves hands its place to the first that waits', async () => {
  const { slots } = open()
  const [first] = await Promise.all([take(slots, 'a'), take(slots, 'a')])
  const waiting = [take(slots, 'a'), take(slots, 'a')]
  assert.deepEqual(slots.counts(), { underWay: PER_HOST, waiting: 2 })
  await take(slots, 'b')
  first.leave()
  assert.ok(await waiting[0])
  assert.deepEqual(slots.counts(), { underWay: PER_HOST + 1, waiting: 1 })
})

test('a host that answers at once keeps a long line waiting in the process', async () => {
  const { slots } = open()
  const held = await Promise.all([take(slots, 'a'), take(slots, 'a')])
  const line = Array.from({ length: 30 }, () => take(slots, 'a'))
  assert.equal(slots.counts().waiting, 30)
  for (const slot of held) slot.leave()
  for (const slot of line) (await slot).leave()
  assert.deepEqual(slots.counts(), { underWay: 0, waiting: 0 })
})

test('whoever waits in vain is sent away, and so is at once who comes after', async () => {
  const { slots, pass } = open()
  await Promise.all([take(slots, 'a'), take(slots, 'a')])
  const waiting = parkedFor(slots, 'a')
  pass(1000)
  assert.ok((await waiting) > 0)
  assert.ok((await parkedFor(slots, 'a')) > 0)
  assert.deepEqual(slots.counts(), { underWay: PER_HOST, waiting: 0 })
})

test('nobody is sent away for longer than the host has been known, however many there are', async () => {
  const { slots, pass } = open()
  await Promise.all([take(slots, 'a'), take(slots, 'a')])
  for (const [knownMs, passMs] of [
    [1000, 1000],
    [15_000, 14_000]
  ] as const) {
    pass(passMs)
    const pauses = await Promise.all(Array.from({ length: 1000 }, () => parkedFor(slots, 'a')))
    assert.ok(Math.max(...pauses) <= knownMs)
    assert.equal(pauses.at(-1), knownMs)
    assert.deepEqual(
      pauses,
      pauses.toSorted((a, b) => a - b)
    )
  }
})
