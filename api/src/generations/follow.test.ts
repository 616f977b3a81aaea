import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CancelMark, Generation } from '@nextscale/openapi'
import { StoreUnavailable } from '@nextscale/platform/object-store'
import { parsePosition } from './event-position.ts'
import type { Found } from './find.ts'
import { follow } from './follow.ts'

const ID = `gen_${'a'.repeat(26)}`
const FOUND: Found = {
  snapshot: {
    kind: 'removed',
    id: ID,
    mark: { canceled_at: 2, created_at: 1, payload: { input: { num_images: 1 } } } as CancelMark
  },
  standing: { status: 'canceled', at: 2, error: null }
}
const GENERATION = { status: 'canceled', previews: [], outputs: [], progress: null, input: {} } as unknown as Generation

test('while the store cannot make links, a stream that has news waits before it looks again', async () => {
  const done: string[] = []
  const outage = new AbortController()
  await follow({
    id: ID,
    found: FOUND,
    after: parsePosition(ID, 'aaaaaaaa.1.0.AA.0.o') ?? assert.fail(),
    stream: {
      closed: outage.signal,
      send: async (block) => {
        done.push(/event: (\w+)/.exec(block)?.[1] ?? '')
        return 'at-once'
      },
      end: () => undefined
    },
    watch: { next: async () => void done.push('wait'), stop: () => undefined },
    read: async () => FOUND,
    show: async () => {
      if (done.filter((step) => step === 'look').length === 3) return GENERATION
      done.push('look')
      throw new StoreUnavailable('away', undefined)
    },
    signal: outage.signal
  })
  assert.deepEqual(done, ['look', 'wait', 'look', 'wait', 'look', 'wait', 'status', 'end'])
})
