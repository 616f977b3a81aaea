import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { Tensor } from '../../../onnx/onnxruntime.ts'
import { readSafetensors, readTensorBytes } from '../../../checkpoint/read-safetensors.ts'
import { ModelError } from '../../../errors.ts'
import { openModel } from '../model/open-model.ts'
import { Weights } from '../../../model/weights.ts'
import { floatData, indexData, pick } from '../../../onnx/tensors.ts'
import { GOLDEN_MODEL, SHIPPED_MODEL } from '../../../testing/folders.ts'
import { openSession } from '../../../testing/open-session.ts'
import { encodeReference } from '../testing/reference/encoder.ts'
import { contribution, lookUp, quantizeReference } from '../testing/reference/quantizer.ts'
import type { Dimensions } from '../testing/reference/random-shapes.ts'
import { writeRandomModel } from '../testing/reference/random-weights.ts'
import { addMaps } from '../testing/reference/tensors.ts'
import { loadReference } from '../testing/reference/weights.ts'
import { encoderGraph } from './encoder.ts'

const pictures = (data: Uint8Array, side: number) => new Tensor('uint8', data, [data.length / (3 * side * side), side, side, 3])

/** Pictures with something to see at every scale: waves of several lengths, and a little noise. */
const waves = (side: number, phase: number) =>
  Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side), i % 3]
    const value = Math.sin(x / 2 + phase + channel) + Math.cos((y * (1 + phase)) / 5) + 0.4 * Math.sin(i * i)
    return Math.min(Math.max(128 + 50 * value, 0), 255)
  })

test('a picture gets the tokens the reference gives it', async (t) => {
  const model = await openModel(GOLDEN_MODEL)
  const session = await openSession(t, encoderGraph(model), model.folder)
  const tensors = await readSafetensors(join(GOLDEN_MODEL, 'encoding.safetensors'))
  const [planes, expected] = [tensors.get('input_image_u8'), tensors.get('encoded_tokens')]
  assert.ok(planes && expected)
  const bytes = await readTensorBytes(planes)
  const area = model.shape.resolution ** 2
  const pixels = Uint8Array.from({ length: 3 * area }, (_, i) => bytes[(i % 3) * area + Math.floor(i / 3)] ?? 0)
  const tokens = indexData(pick(await session.run({ pixels: pictures(pixels, model.shape.resolution) }), 'tokens'))
  assert.deepEqual([...tokens], [...new Int32Array(Uint8Array.from(await readTensorBytes(expected)).buffer)])
})

const BASE: Dimensions = {
  depth: 1,
  width: 32,
  heads: 2,
  classes: 2,
  scales: [1, 2, 3, 5],
  vocabulary: 64,
  channels: 8,
  phis: 4,
  phiShare: 0.5,
  ch: 32,
  chMult: [1, 2],
  sharedAdaln: false,
  resBlocks: 1
}

const CASES: Record<string, Partial<Dimensions>> = {
  'four scales': {},
  'one level, one phi': { scales: [1, 3, 7], phis: 1, chMult: [2] },
  'three levels, two blocks each, three channels': {
    scales: [1, 4],
    channels: 3,
    chMult: [1, 2, 3],
    resBlocks: 2,
    phiShare: 0.25
  }
}

for (const [title, changes] of Object.entries(CASES)) {
  test(`tokens and running sum are the plain implementation’s, in any batch: ${title}`, async (t) => {
    const folder = await temporaryFolder(t)
    await writeRandomModel(folder, { ...BASE, ...changes }, { seed: 11, dtype: 'F32' })
    const model = await openModel(folder)
    const { resolution, tokens: perImage } = model.shape
    const session = await openSession(t, encoderGraph(model), model.folder)
    const images = [0, 1, 2].map((phase) => waves(resolution, phase))
    const together = await session.run({ pixels: pictures(Uint8Array.from(images.flatMap((image) => [...image])), resolution) })
    const reference = await loadReference(model)
    for (const [index, image] of images.entries()) {
      const alone = await session.run({ pixels: pictures(image, resolution) })
      const tokens = indexData(pick(alone, 'tokens'))
      const fHat = floatData(pick(alone, 'f_hat'))
      const scales = quantizeReference(reference, encodeReference(reference, image))
      const margin = Math.min(...scales.flatMap(({ margins }) => [...margins]))
      assert.ok(margin > 1e-5, `two codes are within ${margin}: choose another seed`)
      assert.deepEqual(
        [...tokens],
        scales.flatMap((scale) => [...scale.tokens])
      )
      const added = scales.map((scale, k) => contribution(reference, k, lookUp(reference, scale.tokens)))
      const { data } = added.reduce(addMaps)
      assert.ok(fHat.every((value, i) => Math.abs(value - (data[i] ?? Number.NaN)) < 1e-4))
      const own = <T extends { subarray(begin: number, end: number): T }>(all: T, size: number) =>
        all.subarray(index * size, (index + 1) * size)
      assert.deepEqual(own(indexData(pick(together, 'tokens')), perImage), tokens)
      assert.deepEqual(own(floatData(pick(together, 'f_hat')), fHat.length), fHat)
    }
  })
}

test('a tokenizer without an encoder is refused in one sentence', async () => {
  const model = await openModel(SHIPPED_MODEL)
  const { path, tensors } = model.tokenizer
  const others = new Map([...tensors].filter(([name]) => !name.startsWith('encoder.')))
  assert.throws(
    () => encoderGraph({ ...model, tokenizer: new Weights(path, others) }),
    (error) => error instanceof ModelError && error.message.startsWith('tokenizer.safetensors has no encoder (')
  )
})
