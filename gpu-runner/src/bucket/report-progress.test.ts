import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { reportProgress } from './report-progress.ts'

test('the log is told how much, which share and how fast, every five seconds at most', () => {
  const told: Record<string, unknown>[] = []
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void told.push(JSON.parse(line) as never) })
  let nowMs = 0
  const progress = reportProgress(log, { model: 's3://models/a', totalBytes: 200e6 }, () => nowMs)
  for (let piece = 0; piece < 110; piece++) {
    nowMs += 100
    progress.add(1e6)
  }
  progress.end()
  const line = { level: 30, model: 's3://models/a' }
  assert.deepEqual(told, [
    { ...line, fetched: '50.0 MB', of: '200 MB', percent: 25, per_second: '10.0 MB', msg: 'fetching a model' },
    { ...line, fetched: '100 MB', of: '200 MB', percent: 50, per_second: '10.0 MB', msg: 'fetching a model' },
    { ...line, fetched: '110 MB', elapsed_ms: 11_000, msg: 'model fetched' }
  ])
})
