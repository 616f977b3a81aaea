import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { GenerateImageProgress } from '@nextscale/openapi'
import { trackProgress } from './progress.ts'

const collector = () => {
  const reports: GenerateImageProgress[] = []
  return { reports, report: async (progress: GenerateImageProgress) => void reports.push(progress) }
}

test('a generation has come as far as the slowest of its images; tokens count over all', async () => {
  const { reports, report } = collector()
  const tracker = trackProgress([1, 4, 9], 2, report)
  tracker.start()
  tracker.scale(0, 0)
  tracker.scale(0, 1)
  tracker.scale(1, 0)
  await setImmediate()
  assert.deepEqual(reports.at(-1), { stage: 'sampling', progress: { scale: 1, scales: 3, tokens: 6, tokens_total: 28 } })
})

test('while a report is on its way only the latest is kept', async () => {
  const seen: number[] = []
  let release = () => undefined as void
  const tracker = trackProgress([1, 4, 9], 1, ({ progress }) => {
    seen.push(progress?.scale ?? -1)
    return new Promise((resolve) => (release = resolve))
  })
  tracker.start()
  for (const scale of [0, 1, 2]) tracker.scale(0, scale)
  release()
  await setImmediate()
  assert.deepEqual(seen, [0, 3])
})

test('that a model is loaded is told before sampling, and no more once that has begun', async () => {
  const { reports, report } = collector()
  const tracker = trackProgress([1, 4], 2, report)
  const stages: (string | undefined)[] = []
  const loading = () => tracker.loading()
  for (const step of [loading, loading, () => tracker.start(), loading, () => tracker.scale(0, 0)]) {
    step()
    await setImmediate()
    stages.push(reports.at(-1)?.stage)
  }
  assert.deepEqual(stages, ['loading_model', 'loading_model', 'sampling', 'sampling', 'sampling'])
  assert.equal(reports.length, 3)
})

test('a second batch of the same generation does not turn the stage back', async () => {
  const { reports, report } = collector()
  const tracker = trackProgress([1, 4], 1, report)
  tracker.start()
  tracker.stage('encoding')
  tracker.start()
  await setImmediate()
  assert.equal(reports.at(-1)?.stage, 'encoding')
})

test('a draft is done at its last scale, though its batch goes on', async () => {
  const { reports, report } = collector()
  const tracker = trackProgress([1, 4], 1, report)
  for (const scale of [0, 1, 2, 3]) tracker.scale(0, scale)
  await setImmediate()
  assert.deepEqual(reports.at(-1)?.progress, { scale: 2, scales: 2, tokens: 5, tokens_total: 5 })
})

test('every report has all previews so far, so that dropped reports lose none', async () => {
  const seen: GenerateImageProgress[] = []
  let release = () => undefined as void
  const tracker = trackProgress([1, 4, 9], 1, (progress) => {
    seen.push(progress)
    return new Promise((resolve) => (release = resolve))
  })
  const preview = (scale: number) => ({
    index: 0,
    scale,
    key: `${scale}`,
    content_type: 'image/webp',
    width: 8,
    height: 8,
    bytes: 9
  })
  tracker.start()
  for (const scale of [0, 1]) tracker.preview(preview(scale))
  let isSettled = false
  const settled = tracker.settled().then(() => (isSettled = true))
  release()
  await setImmediate()
  assert.deepEqual(seen.at(-1)?.previews, [preview(0), preview(1)])
  assert.equal(isSettled, false)
  release()
  await settled
  assert.equal(seen.length, 2)
})

test('each number of scales that all images have is told once, also when a batch begins anew', () => {
  const told: number[] = []
  const tracker = trackProgress([1, 4, 9], 2, collector().report, (scale) => told.push(scale))
  tracker.start()
  tracker.scale(0, 0)
  tracker.scale(0, 1)
  assert.deepEqual(told, [])
  for (const scale of [0, 1, 0, 1, 2]) tracker.scale(1, scale)
  assert.deepEqual(told, [1, 2])
  tracker.scale(0, 2)
  tracker.stage('encoding')
  assert.deepEqual(told, [1, 2, 3])
})

test('where all scales are one run, they are finished together when it ends', async () => {
  const { reports, report } = collector()
  const told: number[] = []
  const tracker = trackProgress([1, 4], 2, report, (scale) => told.push(scale))
  tracker.start()
  tracker.stage('encoding')
  await setImmediate()
  assert.deepEqual(told, [2])
  assert.deepEqual(reports.at(-1)?.progress, { scale: 2, scales: 2, tokens: 10, tokens_total: 10 })
})
