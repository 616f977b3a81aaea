import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readControlConfig } from './config.ts'
import { emfLines } from './emf.ts'

const backlog = { pools: new Map([['fast', { generations: 2, oldestWaitMs: 5, runners: 1 }]]), deliveries: 3 }

interface Line extends Record<string, unknown> {
  _aws: { CloudWatchMetrics: { Dimensions: string[][] }[] }
}

const linesOf = (env: Record<string, string>) => {
  const { emf } = readControlConfig({ EMF_NAMESPACE: 'Nextscale', ...env })
  assert.ok(emf)
  const lines = emfLines(emf, backlog, 1).map((line) => JSON.parse(line) as Line)
  // Every dimension has a value beside it, or CloudWatch drops the line.
  return lines.map((line) =>
    line._aws.CloudWatchMetrics.flatMap(({ Dimensions }) => Dimensions.map((set) => set.map((name) => [name, line[name]])))
  )
}

test('with EMF_STACK the lines of a service and of its pools have the dimension Stack, without it none', () => {
  const stack = ['Stack', 'production']
  assert.deepEqual(linesOf({ EMF_STACK: ' production' }), [[[stack]], [[stack, ['Pool', 'fast']]]])
  assert.deepEqual(linesOf({ EMF_STACK: '' }), [[[]], [[['Pool', 'fast']]]])
})

test('EMF_STACK is refused where CloudWatch would not take it, and writes nothing without EMF_NAMESPACE', () => {
  assert.throws(() => linesOf({ EMF_STACK: 'a b' }), /^ConfigError: EMF_STACK must be 1 to 255 letters/)
  assert.equal(readControlConfig({ EMF_STACK: 'production' }).emf, undefined)
})
