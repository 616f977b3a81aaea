import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { GraphBuilder } from '../../../onnx/graph-builder.ts'
import { floats, indexData, ints, pick } from '../../../onnx/tensors.ts'
import { drawInputs, drawTokens } from './draw.ts'

interface Knobs {
  topK?: number
  topP?: number
}

const drawGraph = (): Uint8Array => {
  const g = new GraphBuilder('draw')
  const logits = g.input('logits', 'float', ['B', 'n2', 'V'])
  g.output('tokens', drawTokens(g, logits, drawInputs(g)).tokens, 'int64')
  return g.build()
}

const session = await InferenceSession.create(drawGraph())

/** Draws once per uniform number from the same logits; one entry of `knobs` per image. Returns tokens per image. */
const draw = async (logits: readonly number[], knobs: readonly Knobs[], uniforms: readonly number[]): Promise<number[][]> => {
  const [images, count, vocabulary] = [knobs.length, uniforms.length, logits.length]
  const rows = [...knobs.keys()]
  const kept = knobs.map(({ topK }) => topK || vocabulary)
  const outputs = await session.run({
    logits: floats(
      Float32Array.from({ length: images * count * vocabulary }, (_, i) => logits[i % vocabulary] ?? 0),
      [images, count, vocabulary]
    ),
    last_kept: ints(
      kept.map((k) => k - 1),
      [images, 1, 1]
    ),
    sort_length: ints([Math.max(...kept)]),
    top_p: floats(
      Float32Array.from(knobs, ({ topP }) => (topP === undefined || topP >= 1 ? 2 : topP)),
      [images, 1, 1]
    ),
    uniform: floats(
      Float32Array.from({ length: images * count }, (_, i) => uniforms[i % count] ?? 0),
      [images, count, 1]
    )
  })
  const tokens = [...indexData(pick(outputs, 'tokens'))]
  return rows.map((image) => tokens.slice(image * count, (image + 1) * count))
}

/** An even grid of uniform numbers: inverse CDF turns it into the distribution itself, up to 1 / count. */
const grid = (count: number) => Array.from({ length: count }, (_, i) => (i + 0.5) / count)

const shares = (tokens: readonly number[], vocabulary: number) =>
  Array.from({ length: vocabulary }, (_, token) => tokens.filter((drawn) => drawn === token).length / tokens.length)

/** The intended distribution, written down plainly: softmax, top-k with ties, top-p with ties, renormalised. */
const intended = (logits: readonly number[], { topK = 0, topP = 1 }: Knobs): number[] => {
  const greatest = Math.max(...logits)
  const kth = [...logits].sort((a, b) => b - a)[(topK || logits.length) - 1] ?? greatest
  const weights = logits.map((logit) => (logit >= kth ? Math.exp(logit - greatest) : 0))
  const mass = weights.reduce((a, b) => a + b)
  const massAbove = (weight: number) => weights.reduce((sum, other) => (other > weight ? sum + other : sum), 0)
  const kept = weights.map((weight) => (topP >= 1 || massAbove(weight) < topP * mass ? weight : 0))
  const total = kept.reduce((a, b) => a + b)
  return kept.map((weight) => weight / total)
}

const assertDistribution = async (logits: readonly number[], knobs: readonly Knobs[]) => {
  const count = 4_000
  const drawn = await draw(logits, knobs, grid(count))
  knobs.forEach((knob, image) => {
    const actual = shares(drawn[image] ?? [], logits.length)
    intended(logits, knob).forEach((share, token) => {
      const difference = Math.abs((actual[token] ?? 0) - share)
      assert.ok(difference <= 2 / count, `${JSON.stringify(knob)}: token ${token} has ${actual[token]}, not ${share}`)
      if (share === 0) assert.equal(actual[token], 0)
    })
  })
}

const LOGITS = [0.3, -1.2, 2.1, 0.3, 1.4, -0.5, 2.1, -3, 0, 1.4]

test('draws follow softmax, top-k and top-p, each image by its own settings', () =>
  assertDistribution(LOGITS, [
    {},
    { topK: 4 },
    { topP: 0.6 },
    { topK: 7, topP: 0.8 },
    { topK: 1 },
    { topP: 1e-6 },
    { topK: 10, topP: 1 }
  ]))

test('ties at the border of top-k are all kept', () => assertDistribution(LOGITS, [{ topK: 1 }, { topK: 3 }, { topK: 5 }]))

test('ties at the border of top-p are all kept, also beyond the sorted part', () =>
  assertDistribution([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5], [{ topK: 5, topP: 0.7 }, { topK: 2, topP: 0.5 }, { topP: 0.1 }]))

test('top-p of exactly the mass of some tokens keeps these and no more', async () => {
  // So close that each weighs exactly 1, and still in order: sums and shares have no rounding.
  const logits = [0, -1e-9, -2e-9, -3e-9]
  for (const [topP, kept] of [
    [0.25, 1],
    [0.25 + 2 ** -20, 2],
    [0.5, 2],
    [0.75, 3],
    [0.75 + 2 ** -20, 4]
  ] as const) {
    const [tokens] = await draw(logits, [{ topP }], grid(64))
    assert.deepEqual(new Set(tokens), new Set(Array.from({ length: kept }, (_, token) => token)), `top_p ${topP}`)
  }
})

test('random logits of many shapes of distribution', async () => {
  for (const spread of [0.1, 1, 5]) {
    const logits = Array.from({ length: 64 }, (_, i) => spread * Math.sin(i * i + spread))
    await assertDistribution(logits, [{ topK: 20 }, { topP: 0.9 }, { topK: 30, topP: 0.5 }])
  }
})

test('the largest and the smallest uniform number draw tokens that may be drawn', async () => {
  const logits = [-40, 3, 3, -40]
  const [tokens] = await draw(logits, [{ topK: 2 }], [0, 1 - 2 ** -24])
  assert.deepEqual(tokens, [1, 2])
})

test('with top-p off even the least likely token can be drawn', async () => {
  const logits = Array.from({ length: 1_024 }, (_, i) => (i === 1_023 ? -9 : Math.sin(i)))
  const [tokens] = await draw(logits, [{}], [1 - 2 ** -24])
  assert.deepEqual(tokens, [1_023])
})
