import assert from 'node:assert/strict'
import { test } from 'node:test'
import { downsampleMatrix, phiIndex, upsampleMatrix } from './interpolation.ts'

const columnSums = (matrix: Float32Array, columns: number) =>
  Array.from({ length: columns }, (_, column) =>
    matrix.reduce((sum, value, index) => (index % columns === column ? sum + value : sum), 0)
  )

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`)

test('ten scales use the four phis as published, ties included', () => {
  const used = Array.from({ length: 10 }, (_, k) => phiIndex(k, 10, 4))
  assert.deepEqual(used, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3])
})

test('one phi serves every scale', () => {
  assert.deepEqual(
    [0, 3, 6].map((k) => phiIndex(k, 7, 1)),
    [0, 0, 0]
  )
})

test('enlarging keeps a constant map constant', () => {
  for (const n of [1, 2, 5, 13, 16]) for (const sum of columnSums(upsampleMatrix(n, 16), 256)) near(sum, 1)
})

test('enlarging to the same size changes nothing', () => {
  const matrix = upsampleMatrix(3, 3)
  matrix.forEach((value, index) => near(value, Math.floor(index / 9) === index % 9 ? 1 : 0))
})

test('bicubic weights are those of a = -0.75 at half-pixel centres with clamped borders', () => {
  // Doubling one axis: the second output sample lies a quarter past the first input sample.
  const [w0, w1, w2] = [-0.10546875, 0.87890625, 0.26171875]
  const matrix = upsampleMatrix(2, 4)
  // Output (1, 1) of 4 x 4 from input (0, 0): taps -1, 0 fall on sample 0, taps 1, 2 on sample 1, in both axes.
  near(matrix[0 * 16 + 5] ?? 0, (w0 + w1) ** 2)
  near(w0 + w1 + w2 - 0.03515625, 1)
})

test('reducing takes means over windows that overlap when sizes do not divide', () => {
  const matrix = downsampleMatrix(3, 2)
  // Windows of three inputs onto two outputs: 0..1 and 1..2.
  near(matrix[0 * 4 + 0] ?? 0, 0.25)
  near(matrix[4 * 4 + 0] ?? 0, 0.25)
  near(matrix[4 * 4 + 3] ?? 0, 0.25)
  near(matrix[0 * 4 + 3] ?? 0, 0)
  for (const sum of columnSums(matrix, 4)) near(sum, 1)
})
