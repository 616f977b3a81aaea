import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { GraphBuilder } from '../../../onnx/graph-builder.ts'
import { tokenUniform } from '../sampler/uniform-numbers.ts'
import { floatData, floats, pick } from '../../../onnx/tensors.ts'
import { int8Products } from './products.ts'

const [ROWS, INPUTS, OUTPUTS] = [7, 96, 40] as const

const random = (count: number, stream: number) => Float32Array.from({ length: count }, (_, i) => tokenUniform(1, stream, i) - 0.5)

const x = random(ROWS * INPUTS, 0).map((value, i) => value * 10 ** (Math.floor(i / INPUTS) - 3))
const weight = random(OUTPUTS * INPUTS, 1).map((value, i) => value * (1 + Math.floor(i / INPUTS)))
const bias = random(OUTPUTS, 2)

const createSession = (levels: number) => {
  const g = new GraphBuilder('product')
  const data = new Uint8Array(weight.buffer)
  const info = { name: 'w', dtype: 'F32', shape: [OUTPUTS, INPUTS], file: '', offset: 0, sizeBytes: data.length, data } as const
  g.output('y', int8Products(levels)(g, g.input('x', 'float', ['rows', INPUTS]))(info, g.floats(bias)), 'float')
  return InferenceSession.create(g.build())
}

const multiply = async (session: InferenceSession, rows: Float32Array) =>
  floatData(pick(await session.run({ x: floats(rows, [rows.length / INPUTS, INPUTS]) }), 'y'))

for (const [levels, bound] of [
  [127, 0.012],
  [63, 0.02]
] as const) {
  test(`8-bit products with ${levels} levels are within ${bound} of |x| |w| of the exact ones, whatever a row's size`, async (t) => {
    const session = await createSession(levels)
    t.after(() => session.release())
    const y = await multiply(session, x)
    for (let row = 0; row < ROWS; row++) {
      const input = x.subarray(row * INPUTS, (row + 1) * INPUTS)
      for (let output = 0; output < OUTPUTS; output++) {
        const column = weight.subarray(output * INPUTS, (output + 1) * INPUTS)
        const exact = input.reduce((sum, value, i) => sum + value * (column[i] ?? 0), 0)
        const size = Math.hypot(...input) * Math.hypot(...column)
        const off = Math.abs((y[row * OUTPUTS + output] ?? Number.NaN) - exact - (bias[output] ?? 0))
        assert.ok(off < bound * size + 1e-6, `row ${row}, output ${output}: off by ${off / size}`)
      }
    }
  })
}

test('a row multiplied alone gives the same to the bit, and a row of zeros gives the bias', async (t) => {
  const session = await createSession(127)
  t.after(() => session.release())
  const together = await multiply(session, x)
  for (let row = 0; row < ROWS; row++) {
    const alone = await multiply(session, x.slice(row * INPUTS, (row + 1) * INPUTS))
    assert.deepEqual(alone, together.slice(row * OUTPUTS, (row + 1) * OUTPUTS))
  }
  assert.deepEqual(await multiply(session, new Float32Array(INPUTS)), bias)
})
