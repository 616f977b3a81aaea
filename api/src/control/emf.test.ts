import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readControlConfig } from './config.ts'
import { emfLines } from './emf.ts'

const backlog = { pools: new Map([['fast', { generations: 2, oldestWaitMs: 5, runners: 1 }]]), deliveries: 3 }

interface Line extends Record<string, unknown> {
  _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { StorageResolution: number }[] }[] }
}

const parsedLines = (env: Record<string, string>) => {
  const { emf } = readControlConfig({ EMF_NAMESPACE: 'Nextscale', ...env })
  assert.ok(emf)
  return emfLines(emf, backlog, 1).map((line) => JSON.parse(line) as Line)
}

const linesOf = (env: Record<string, string>) => {
  const lines = parsedLines(env)
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

test('what is written more often than every minute is kept by the second, so that alarms of ten seconds see it', () => {
  const resolutions = (interval: string) =>
    parsedLines({ BACKLOG_INTERVAL_MS: interval }).flatMap((line) =>
      line._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ StorageResolution }) => StorageResolution))
    )
  assert.deepEqual(new Set(resolutions('10000')), new Set([1]))
  assert.deepEqual(new Set(resolutions('60000')), new Set([60]))
  assert.equal(resolutions('10000').length, 7)
})

test('EMF_STACK is refused where CloudWatch would not take it, and writes nothing without EMF_NAMESPACE', () => {
  assert.throws(() => linesOf({ EMF_STACK: 'a b' }), /^ConfigError: EMF_STACK must be 1 to 255 letters/)
  assert.equal(readControlConfig({ EMF_STACK: 'production' }).emf, undefined)
})
