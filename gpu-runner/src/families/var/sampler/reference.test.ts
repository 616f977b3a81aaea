import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readSafetensors, readTensorBytes } from '../../../checkpoint/read-safetensors.ts'
import { type OpenModel, openModel, verifyHashes } from '../model/open-model.ts'
import { GOLDEN_MODEL } from '../../../testing/folders.ts'
import { decodeReference, pixelBytes } from '../testing/reference/decoder.ts'
import { drawToken } from '../testing/reference/draw.ts'
import { encodeReference } from '../testing/reference/encoder.ts'
import { halfBits, halfValue } from '../../../testing/half.ts'
import { quantizeReference } from '../testing/reference/quantizer.ts'
import type { Dimensions } from '../testing/reference/random-shapes.ts'
import { writeRandomModel } from '../testing/reference/random-weights.ts'
import { type ReferenceRequest, type ReferenceScale, sampleReference } from '../testing/reference/sampler.ts'
import { featureMap } from '../testing/reference/tensors.ts'
import { loadReference, type Reference, ReferenceWeights } from '../testing/reference/weights.ts'
import type { ModelShape } from '../model/shape.ts'
import { createEngine } from './engine.ts'
import type { ImageRequest } from './image-request.ts'
import { noiseUniform } from './uniform-numbers.ts'
import { sampleBatch, type ScaleReport } from './sample-batch.ts'

const largestDifference = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  assert.equal(actual.length, expected.length)
  let largest = 0
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN))
    // Not a number counts as infinitely far.
    largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference)
  }
  return largest
}

const last = (scales: readonly ReferenceScale[]): ReferenceScale => {
  const scale = scales.at(-1)
  assert.ok(scale)
  return scale
}

/** What PyTorch computed in fp32 from the golden model. */
const golden = async (file: string, name: string) => {
  const tensor = (await readSafetensors(join(GOLDEN_MODEL, file))).get(name)
  assert.ok(tensor)
  const bytes = Uint8Array.from(await readTensorBytes(tensor))
  if (tensor.dtype === 'U8') return bytes
  return tensor.dtype === 'I32' ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer)
}

/** Channels last, as the engine's pixels are. */
const interleaved = (planes: ArrayLike<number>): Uint8Array =>
  Uint8Array.from({ length: planes.length }, (_, i) => planes[(i % 3) * (planes.length / 3) + Math.floor(i / 3)] ?? 0)

const goldenReference = loadReference(await openModel(GOLDEN_MODEL))

for (const { image, label, scales } of [
  { image: 0, label: 1, scales: 6 },
  { image: 1, label: 4, scales: 9 }
]) {
  test(`the plain implementation agrees with PyTorch: label ${label}, ${scales} scales`, async () => {
    const reference = await goldenReference
    const [tokens, logits, fHat] = await Promise.all(
      ['tokens', 'logits', 'f_hat_per_scale'].map((name) => golden('expected.safetensors', name))
    )
    assert.ok(tokens && logits && fHat)
    let begin = image * 680
    sampleReference(reference, { seed: 0, label, cfg: 3, topK: 1, topP: 1, scales }).forEach((scale, k) => {
      const end = begin + scale.tokens.length
      assert.deepEqual([...scale.tokens], [...tokens.subarray(begin, end)])
      assert.ok(largestDifference(scale.logits.data, logits.subarray(begin * 512, end * 512)) < 1e-3)
      const size = scale.fHat.data.length
      assert.ok(largestDifference(scale.fHat.data, fHat.subarray((2 * k + image) * size, (2 * k + image + 1) * size)) < 1e-4)
      begin = end
    })
  })
}

test('the plain encoder and residual quantiser give a picture the tokens PyTorch gives it', async () => {
  const reference = await goldenReference
  const pixels = interleaved(await golden('encoding.safetensors', 'input_image_u8'))
  const scales = quantizeReference(reference, encodeReference(reference, pixels))
  const tokens = scales.flatMap((scale) => [...scale.tokens])
  assert.deepEqual(tokens, [...(await golden('encoding.safetensors', 'encoded_tokens'))])
})

const BASE: Dimensions = {
  depth: 2,
  width: 64,
  heads: 4,
  classes: 5,
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

interface Case extends Partial<Dimensions> {
  dtype?: 'F32' | 'F16'
  /** Of the first image. With these seeds no draw is so near a border that fp32 could fall on its other side. */
  seed: number
}

const CASES: Record<string, Case> = {
  'four scales': { seed: 100 },
  'shared AdaLN, powers of two, two phis, fp16': { sharedAdaln: true, scales: [1, 2, 4, 8], phis: 2, dtype: 'F16', seed: 200 },
  'three scales, one phi, no enlargement': { scales: [1, 3, 7], phis: 1, width: 96, heads: 3, depth: 3, chMult: [2], seed: 300 },
  'one head, one class, three phis, wide levels': { width: 48, heads: 1, classes: 1, phis: 3, ch: 64, chMult: [1, 1], seed: 400 },
  'every side to eight, deep': { scales: [1, 2, 3, 4, 5, 6, 7, 8], width: 32, heads: 2, depth: 3, vocabulary: 100, seed: 500 },
  'two scales, odd sizes, shared AdaLN, three levels, fp16': {
    depth: 1,
    width: 20,
    heads: 5,
    classes: 17,
    scales: [1, 4],
    vocabulary: 33,
    channels: 3,
    phiShare: 0.25,
    chMult: [1, 2, 3],
    sharedAdaln: true,
    resBlocks: 2,
    dtype: 'F16',
    seed: 600
  },
  'seven scales whose middle one lies between two phis': { scales: [1, 2, 3, 4, 5, 6, 8], width: 32, depth: 1, seed: 700 }
}

const randomModel = async (t: TestContext, { dtype = 'F32', seed, ...changes }: Case): Promise<OpenModel> => {
  const folder = await temporaryFolder(t)
  await writeRandomModel(folder, { ...BASE, ...changes }, { seed, dtype })
  const model = await openModel(folder)
  await verifyHashes(model)
  return model
}

/** Guided and unguided, with and without a class, greedy and free, at both ends of the classes and of the seeds. */
const mixedBatch = (seed: number, { scales, transformer }: ModelShape): ImageRequest[] => {
  const last = transformer.classes - 1
  const plain = { smooth: false, schedule: null }
  // A class that comes, goes and comes back: guidance must go on while there is none.
  const label = scales.map((_, k) => (k % 3 === 1 ? null : k % 2 === 0 ? last : 0))
  const schedule = {
    label,
    cfg: scales.map((_, k) => (2 * k) % 5),
    topK: scales.map((_, k) => 3 + k),
    topP: scales.map(() => 0.9)
  }
  return [
    { seed, label: last, cfg: 3, topK: 0, topP: 0.9, ...plain },
    { seed: seed + 1, label: 0, cfg: 7.5, topK: 1, topP: 1, ...plain },
    { seed: seed + 2, label: null, cfg: 4, topK: 20, topP: 1, ...plain },
    { seed: seed + 3, label: 0, cfg: 0, topK: 0, topP: 1, ...plain },
    { seed: 2 ** 32 - seed, label: last, cfg: 1.5, topK: 10, topP: 0.6, ...plain },
    { seed: seed + 4, label: null, cfg: 0, topK: 1, topP: 1, ...plain },
    { seed: seed + 5, label: 0, cfg: 3, topK: 5, topP: 0.95, smooth: true, schedule: null },
    { seed: seed + 6, label: null, cfg: 1, topK: 0, topP: 1, smooth: false, schedule },
    { seed: seed + 7, label: last, cfg: 2, topK: 1, topP: 1, smooth: true, schedule: { cfg: schedule.cfg } }
  ]
}

/** As the reference takes it: schedule and noise only where there are any. */
const asReferenceRequest = ({ smooth, schedule, ...request }: ImageRequest, vocabulary: number) => ({
  ...request,
  ...(schedule && { schedule }),
  ...(smooth && {
    smooth: (scale: number, position: number, token: number) => noiseUniform(request.seed, scale, position * vocabulary + token)
  })
})

for (const [title, one] of Object.entries(CASES)) {
  test(`the engine agrees with the plain implementation: ${title}`, async (t) => {
    const model = await randomModel(t, one)
    const engine = await createEngine(model, { threads: 2, precision: 'fp32', cache: null })
    t.after(() => engine.release())
    const requests = mixedBatch(one.seed, model.shape)
    const reports: ScaleReport[] = []
    const { images } = await sampleBatch(engine, requests, {
      wantLogits: true,
      afterScale: async (report) => {
        reports.push(report)
        return new Set()
      }
    })
    const reference = await loadReference(model)
    requests.forEach((request, image) => {
      const scales = sampleReference(reference, asReferenceRequest(request, model.shape.tokenizer.vocabulary))
      scales.forEach(({ tokens, logits, fHat, margin }, scale) => {
        const where = `image ${image}, scale ${scale}`
        assert.ok(margin > 1e-5, `${where}: a draw is within ${margin} of a border; give the case another seed`)
        const report = reports[scale]
        assert.deepEqual(report?.tokens.get(image), tokens, where)
        const logitsOff = largestDifference(report.logits.get(image) ?? [], logits.data)
        // Blending magnifies what rounding does to logits by up to (1 + r) / tau, and passes it on to the next scale.
        const slack = request.smooth ? 50 : 1
        assert.ok(logitsOff < slack * 1e-3, `${where}: logits differ by ${logitsOff}`)
        const fHatOff = largestDifference(report.fHat.get(image) ?? [], fHat.data)
        assert.ok(fHatOff < slack * 1e-4, `${where}: running sums differ by ${fHatOff}`)
      })
      const expected = pixelBytes(decodeReference(reference, last(scales).fHat))
      assert.ok(largestDifference(images[image]?.pixels ?? [], expected) <= 1, `image ${image}: pixels differ`)
    })
  })
}

/** The same weights with every value of one tensor changed. */
const withChanged = (reference: Reference, file: 'tokenizer' | 'transformer', changed: string): Reference => {
  const weights = reference[file]
  const values = weights.names().map((name) => {
    const own = weights.take(name)
    return [name, name === changed ? own.map((value) => 0.5 * value + 0.1) : own] as const
  })
  return { ...reference, [file]: new ReferenceWeights(new Map(values)) }
}

test('no tensor is idle: a change of any one shows, so the comparisons above would notice it', async (t) => {
  const dimensions = { depth: 1, scales: [1, 2], width: 32, heads: 2, phis: 2, vocabulary: 32, ch: 64 }
  const reference = await loadReference(await randomModel(t, { ...dimensions, seed: 1 }))
  const bytes = Uint8Array.from({ length: 3 * 4 * 4 }, (_, i) => (i * i * 37) % 256)
  const fHat = featureMap(
    8,
    2,
    Float64Array.from({ length: 32 }, (_, i) => Math.sin(i * i))
  )
  const sampled = (changed: Reference) => {
    const scales = sampleReference(changed, { seed: 1, label: 2, cfg: 2, topK: 1, topP: 1 })
    return Float64Array.from(scales.flatMap((scale) => [...scale.logits.data, ...scale.fHat.data]))
  }
  const encoded = (changed: Reference) => encodeReference(changed, bytes).data
  const decoded = (changed: Reference) => decodeReference(changed, fHat).data
  const partOf = (name: string) =>
    /^(encoder|quant_conv)/.test(name) ? encoded : /^(decoder|post_quant_conv)/.test(name) ? decoded : sampled
  const unchanged = new Map([encoded, decoded, sampled].map((outputs) => [outputs, outputs(reference)]))
  for (const file of ['tokenizer', 'transformer'] as const) {
    for (const name of reference[file].names()) {
      if (name.endsWith('zero_k_bias') || name === 'attn_bias_for_masking') continue
      const outputs = partOf(name)
      const difference = largestDifference(outputs(withChanged(reference, file, name)), unchanged.get(outputs) ?? [])
      assert.ok(difference > 5e-3, `${name} changes outputs by ${difference} only`)
    }
  }
})

test('a schedule that spells out the request gives the same image; its cfg is not ramped, its label acts at its scale', async (t) => {
  const reference = await loadReference(await randomModel(t, { seed: 2 }))
  const request: ReferenceRequest = { seed: 5, label: 1, cfg: 3, topK: 12, topP: 0.8 }
  const plain = sampleReference(reference, request)
  const scales = [0, 1, 2, 3]
  const schedule = {
    cfg: scales.map((k) => k),
    topK: scales.map(() => 12),
    topP: scales.map(() => 0.8),
    label: scales.map(() => 1)
  }
  const spelledOut = sampleReference(reference, { seed: 5, label: null, cfg: 0, topK: 1, topP: 1, schedule })
  assert.deepEqual(spelledOut, plain)
  const relabelled = sampleReference(reference, { ...request, schedule: { label: [1, 1, 4, null] } })
  assert.deepEqual(relabelled.slice(0, 2), plain.slice(0, 2))
  assert.ok(largestDifference(relabelled[2]?.logits.data ?? [], plain[2]?.logits.data ?? []) > 0.1)
})

test('smoothing blends codes and not tokens: of one kept token nothing is blended, of several the noise decides', async (t) => {
  const reference = await loadReference(await randomModel(t, { seed: 3 }))
  const request: ReferenceRequest = { seed: 9, label: 1, cfg: 3, topK: 1, topP: 1 }
  const smooth = (scale: number, position: number, token: number) => (((scale * 31 + position * 17 + token * 7) % 97) + 0.5) / 97
  const greedy = sampleReference(reference, request)
  const smoothGreedy = sampleReference(reference, { ...request, smooth })
  assert.ok(largestDifference(last(smoothGreedy).fHat.data, last(greedy).fHat.data) < 1e-12)
  const free = { ...request, topK: 20 }
  const [drawn, blended] = [sampleReference(reference, free), sampleReference(reference, { ...free, smooth })]
  assert.deepEqual(blended[0]?.tokens, drawn[0]?.tokens)
  assert.ok(largestDifference(blended[0]?.fHat.data ?? [], drawn[0]?.fHat.data ?? []) > 0.01)
})

test('draws keep ties at the border of top-k and of top-p', () => {
  const logits = Float64Array.from([0, 2, 1, 1, -1])
  const keptBy = (topK: number, topP: number) =>
    [...drawToken(logits, { topK, topP }, 0.5).kept].flatMap((logit, token) => (logit > Number.NEGATIVE_INFINITY ? [token] : []))
  assert.deepEqual(keptBy(2, 1), [1, 2, 3])
  assert.deepEqual(keptBy(0, 0.6), [1, 2, 3])
  assert.deepEqual(keptBy(0, 0.01), [1])
  assert.deepEqual(keptBy(0, 1), [0, 1, 2, 3, 4])
  assert.equal(drawToken(logits, { topK: 2, topP: 1 }, 0).token, 1)
  assert.equal(drawToken(logits, { topK: 2, topP: 1 }, 1 - 2 ** -24).token, 3)
})

test('half precision is written and read to the bit', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = halfValue(bits)
    if (!Number.isNaN(value) && bits !== 0x8000) assert.equal(halfBits(value), bits)
  }
})
