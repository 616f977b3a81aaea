import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { GOLDEN_MODEL } from '../testing/folders.ts'
import { runModels } from '../testing/run-models.ts'

const bench = (...args: string[]) => runModels(['bench', GOLDEN_MODEL, ...args], { cwd: tmpdir() })

test('a model is measured in every configuration, with times of every scale', async () => {
  const { status, stdout, stderr } = await bench('--precision', 'fp32', '--batch', '1,2', '--rounds', '1', '--threads', '2')
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^Golden case, 2 threads, medians of 1 rounds\n/)
  const rows = stdout.split('\n').filter((line) => line.startsWith('nextscale '))
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/).slice(0, 3)),
    [1, 2, 1, 2].map((batch) => ['nextscale', 'fp32', String(batch)])
  )
  const [, , , load, ...times] = rows[0]?.split(/ {2,}/) ?? []
  assert.match(load ?? '', /^\d+\.\d s$/)
  const [transformer = 0, decoder = 0, total = 0] = times.map(Number)
  assert.ok(transformer > 0 && decoder > 0 && transformer + decoder <= total * 1.01, rows[0])
  assert.equal(rows[2]?.split(/ {2,}/).length, 3 + 10)
})

test('options that mean nothing are refused in a sentence', async () => {
  assert.match((await bench('--precision', 'fp8')).stderr, /--precision must be fp32, int8, or several of them .* not "fp8"/)
  assert.match((await bench('--batch', '1,0')).stderr, /--batch must be an integer from 1 to \d+, not "0"/)
  assert.match((await bench('--rounds', 'x')).stderr, /--rounds must be an integer from 1 to \d+, not "x"/)
})
