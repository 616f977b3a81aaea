import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { GraphBuilder } from '../../../onnx/graph-builder.ts'
import { floatData, floats, ints, pick } from '../../../onnx/tensors.ts'
import { guidanceInputs, guided } from './guidance.ts'

test('guidance is (1 + t) cond - t uncond, per image, and changes nothing where t is 0', async (t) => {
  const g = new GraphBuilder('guidance')
  g.output('y', guided(g, g.input('rows', 'float', ['R', 'n2', 3]), guidanceInputs(g)), 'float')
  const session = await InferenceSession.create(g.build())
  t.after(() => session.release())
  const [first, second, unconditional] = [
    [0, 1, 2],
    [5, 6, 7],
    [0, 2, 0.5]
  ] as const
  const outputs = await session.run({
    rows: floats(Float32Array.from([...first, ...second, ...unconditional]), [3, 1, 3]),
    conditional_row: ints([0, 1]),
    unconditional_row: ints([2, 1]),
    guidance: floats(Float32Array.from([1.5, 0]), [2, 1, 1])
  })
  const expected = first.map((value, i) => 2.5 * value - 1.5 * (unconditional[i] ?? Number.NaN))
  assert.deepEqual([...floatData(pick(outputs, 'y'))], [...expected, ...second])
})
