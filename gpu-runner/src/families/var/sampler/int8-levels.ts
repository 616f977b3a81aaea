import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { INT8_MAX } from '../graphs/products.ts'
import { GraphBuilder } from '../../../onnx/graph-builder.ts'
import { bytes, pick } from '../../../onnx/tensors.ts'

/** Inputs of the probe: enough for whole vectors of any instruction set. */
const INPUTS = 256
const OUTPUTS = 16
/** Half of the range: two products of unsigned and signed bytes then fit into 16 bits. */
const REDUCED_LEVELS = 63

/**
 * Largest weight with which this processor multiplies 8-bit integers exactly. Without VNNI, x86 adds pairs of products in
 * 16 bits that saturate, and silently; a product of the largest numbers tells.
 */
export const int8Levels = async (): Promise<number> => {
  const g = new GraphBuilder('probe')
  const weight = g.cast(g.floats(new Float32Array(INPUTS * OUTPUTS).fill(INT8_MAX), [INPUTS, OUTPUTS]), 'int8')
  g.output('y', g.cast(g.op('MatMulInteger', [g.input('x', 'uint8', ['n', INPUTS]), weight]), 'float'), 'float')
  const session = await InferenceSession.create(g.build(), { logSeverityLevel: 3 })
  try {
    const { data } = pick(await session.run({ x: bytes(new Uint8Array(INPUTS).fill(255), [1, INPUTS]) }), 'y')
    const isExact = [...data].every((value) => value === INPUTS * 255 * INT8_MAX)
    return isExact ? INT8_MAX : REDUCED_LEVELS
  } finally {
    await session.release()
  }
}
