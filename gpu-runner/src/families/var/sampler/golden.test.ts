import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readSafetensors, readTensorBytes } from '../../../checkpoint/read-safetensors.ts'
import { elementCount } from '../../../checkpoint/tensor-info.ts'
import { openModel } from '../model/open-model.ts'
import { GOLDEN_MODEL } from '../../../testing/folders.ts'
import { createEngine, type Engine } from './engine.ts'
import type { SampleResult } from '../../open-sampler.ts'
import { sampleBatch, type ScaleReport } from './sample-batch.ts'

/** Outputs of the reference implementation on the same weights: labels 1 and 4, cfg 3, greedy. */
const LABELS = [1, 4]

const golden = async (name: string) => {
  const tensor = (await readSafetensors(join(GOLDEN_MODEL, 'expected.safetensors'))).get(name)
  assert.ok(tensor)
  const bytes = Uint8Array.from(await readTensorBytes(tensor)).buffer
  const values = tensor.dtype === 'I32' ? new Int32Array(bytes) : new Float32Array(bytes)
  assert.equal(values.length, elementCount(tensor.shape))
  return values
}

let engine: Engine
let result: SampleResult
const reports: ScaleReport[] = []

before(async () => {
  engine = await createEngine(await openModel(GOLDEN_MODEL), { threads: 2, precision: 'fp32', cache: null })
  const requests = LABELS.map((label) => ({ seed: 0, label, cfg: 3, topK: 1, topP: 1, smooth: false, schedule: null }))
  const afterScale = async (report: ScaleReport) => {
    reports.push(report)
    return new Set<number>()
  }
  result = await sampleBatch(engine, requests, { wantLogits: true, afterScale })
})
after(() => engine.release())

const largestDifference = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  assert.equal(actual.length, expected.length)
  return Math.max(...Array.from(actual, (value, index) => Math.abs(value - (expected[index] ?? Number.NaN))))
}

test('greedy tokens equal the reference’s', async () => {
  const expected = await golden('tokens')
  LABELS.forEach((_, image) => {
    const drawn = reports.flatMap(({ tokens }) => [...(tokens.get(image) ?? [])])
    assert.deepEqual(drawn, [...expected.subarray(image * 680, (image + 1) * 680)])
  })
})

test('guided logits are within 1e-3 of the reference', async () => {
  const { vocabulary } = engine.model.shape.tokenizer
  const expected = await golden('logits')
  LABELS.forEach((_, image) => {
    let begin = image * 680 * vocabulary
    for (const { logits } of reports) {
      const actual = logits.get(image) ?? new Float32Array()
      for (let i = 0; i < actual.length; i++) {
        assert.ok(Math.abs((actual[i] ?? Number.NaN) - (expected[begin + i] ?? Number.NaN)) < 1e-3)
      }
      begin += actual.length
    }
    assert.equal(begin, (image + 1) * 680 * vocabulary)
  })
})

test('the running sum after each scale is within 1e-4 of the reference', async () => {
  const expected = await golden('f_hat_per_scale')
  for (const { scale, fHat } of reports) {
    for (const [image, values] of fHat) {
      const begin = (scale * LABELS.length + image) * values.length
      assert.ok(largestDifference(values, expected.subarray(begin, begin + values.length)) < 1e-4)
    }
  }
})

test('the picture is within 1/255 of the reference', async () => {
  const expected = await golden('image')
  const area = 256 * 256
  assert.equal(result.images.length, LABELS.length)
  for (const { index, pixels } of result.images) {
    pixels.forEach((value, i) => {
      const channel = i % 3
      const reference = Math.trunc((expected[(index * 3 + channel) * area + (i - channel) / 3] ?? Number.NaN) * 255)
      assert.ok(Math.abs(value - reference) <= 1, `image ${index}, byte ${i}: ${value}, not ${reference}`)
    })
  }
})
