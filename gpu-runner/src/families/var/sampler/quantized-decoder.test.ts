import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Tensor } from '../../../onnx/onnxruntime.ts'
import { calibrationGraph } from '../graphs/calibration.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { QUANTIZED_SESSION_CONFIG, quantizedConv3x3 } from '../graphs/quantized-conv.ts'
import { type OpenModel, openModel } from '../model/open-model.ts'
import { SHIPPED_MODEL } from '../../../testing/folders.ts'
import { openSession } from '../../../testing/open-session.ts'
import { calibrate, roundedOutward } from './calibrate.ts'
import { createEngine } from './engine.ts'
import { int8Levels } from './int8-levels.ts'
import { sampleBatch } from './sample-batch.ts'
import { byteData, pick } from '../../../onnx/tensors.ts'

/** Running sums fp32 [images, channels, side, side] of images of evenly spread classes, with the model's own defaults. */
const sampledSums = async (t: TestContext, model: OpenModel, seeds: readonly number[]): Promise<Tensor> => {
  const engine = await createEngine(model, { threads: 2, precision: 'fp32', cache: null })
  t.after(() => engine.release())
  const { cfg, top_k: topK, top_p: topP } = model.manifest.defaults
  const { classes } = model.shape.transformer
  const requests = seeds.map((seed, i) => {
    const label = Math.floor((i * classes) / seeds.length)
    return { seed, label, cfg, topK, topP, smooth: false, schedule: null }
  })
  let sums: Float32Array[] = []
  await sampleBatch(engine, requests, {
    afterScale: async ({ fHat }) => {
      sums = seeds.map((_, index) => fHat.get(index) ?? new Float32Array())
      return new Set()
    }
  })
  const { side, tokenizer } = model.shape
  const data = Float32Array.from(sums.flatMap((values) => [...values]))
  return new Tensor('float32', data, [seeds.length, tokenizer.channels, side, side])
}

const rows = (tensor: Tensor): Tensor[] => {
  const [count = 0, ...rest] = tensor.dims
  const size = tensor.size / count
  return Array.from({ length: count }, (_, i) => {
    const data = (tensor.data as Float32Array).slice(i * size, (i + 1) * size)
    return new Tensor('float32', data, [1, ...rest])
  })
}

/** Peak signal-to-noise ratio of bytes, dB. */
const psnr = (actual: Uint8Array, expected: Uint8Array): number => {
  const squares = expected.reduce((sum, value, i) => sum + (value - (actual[i] ?? Number.NaN)) ** 2, 0)
  return 10 * Math.log10(255 ** 2 / (squares / expected.length))
}

test('decoding in 8 bits is close to fp32, and the same in any batch', async (t) => {
  const model = await openModel(SHIPPED_MODEL)
  const { graph, names } = calibrationGraph(model)
  const session = await openSession(t, graph, model.folder)
  const seeds = (count: number, first: number) => Array.from({ length: count }, (_, i) => first + i)
  const ranges = await calibrate({ session, names }, rows(await sampledSums(t, model, seeds(16, 1000))))
  assert.deepEqual(JSON.parse(JSON.stringify(ranges)), ranges)
  const images = await sampledSums(t, model, seeds(6, 0))
  const exact = await openSession(t, decoderGraph(model), model.folder)
  const quantized = decoderGraph(model, { conv3x3: quantizedConv3x3(ranges, await int8Levels()) })
  const close = await openSession(t, quantized, model.folder, QUANTIZED_SESSION_CONFIG)
  const together = byteData(pick(await close.run({ f_hat: images }), 'pixels'))
  for (const [index, image] of rows(images).entries()) {
    const expected = byteData(pick(await exact.run({ f_hat: image }), 'pixels'))
    const actual = byteData(pick(await close.run({ f_hat: image }), 'pixels'))
    const ratio = psnr(actual, expected)
    assert.ok(ratio > 40, `image ${index}: ${ratio.toFixed(1)} dB`)
    assert.deepEqual(together.subarray(index * actual.length, (index + 1) * actual.length), actual)
  }
})

test('a convolution that was not calibrated is refused by name', async () => {
  const model = await openModel(SHIPPED_MODEL)
  assert.throws(() => decoderGraph(model, { conv3x3: quantizedConv3x3({}, 127) }), /decoder\.mid\.block_1\.conv1/)
})

test('ranges are rounded outward to two digits', () => {
  assert.deepEqual(roundedOutward([-0.2784645, 4.6123]), [-0.28, 4.7])
  assert.deepEqual(roundedOutward([0, 0.3]), [0, 0.3])
  assert.deepEqual(roundedOutward([-123.4, -0.001_01]), [-130, -0.001])
})
