import { UINT8_ZERO } from '../graphs/products.ts'
import { GraphBuilder } from '../../../onnx/graph-builder.ts'
import { floats } from '../../../onnx/tensors.ts'
import { openSession } from './open-session.ts'
import type { Products } from './replies.ts'
import { Tensor } from '../../../onnx/onnxruntime.ts'

/** The largest product of d16's feed-forward network: its last scale, with guidance. */
const [ROWS, IN, OUT] = [512, 1_024, 4_096]
const REPEATS = 8
const OPERATIONS = 2 * ROWS * IN * OUT
const INT8_RANGE = 120

/** Only a corner of the product leaves the graph, so that fetching it costs nothing. */
const corner = (g: GraphBuilder, product: string) => g.op('Slice', [product, g.ints([0, 0]), g.ints([1, 1]), g.ints([0, 1])])

const floatGraph = (): Uint8Array => {
  const g = new GraphBuilder('fp32')
  const weight = g.floats(
    Float32Array.from({ length: OUT * IN }, (_, i) => (i % 17) / 17),
    [OUT, IN]
  )
  g.output('y', corner(g, g.op('Gemm', [g.input('x', 'float', [ROWS, IN]), weight], { transB: 1 })), 'float')
  return g.build()
}

/** Unsigned rows times a signed weight, back to floats, as the engine's 8-bit products are. */
const int8Graph = (): Uint8Array => {
  const g = new GraphBuilder('int8')
  const values = Array.from({ length: IN * OUT }, (_, i) => i % INT8_RANGE)
  const weight = g.cast(g.bytes(values, [IN, OUT]), 'int8')
  const scale = g.scalar(1 / INT8_RANGE)
  const inputs = [g.input('x', 'uint8', [ROWS, IN]), weight, scale, scale, g.bytes([UINT8_ZERO], [])]
  g.output('y', corner(g, g.runtimeOp('MatMulIntegerToFloat', inputs)), 'float')
  return g.build()
}

const bestRate = async (run: () => Promise<unknown>): Promise<number> => {
  let bestMs = Infinity
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const begun = performance.now()
    await run()
    bestMs = Math.min(bestMs, performance.now() - begun)
  }
  return OPERATIONS / bestMs / 1e6
}

/** What this machine's matrix products do at best in this runtime, in 10^9 operations a second. */
export const openProducts = async (threads: number): Promise<() => Promise<Products>> => {
  const [fp32, int8] = [await openSession(floatGraph(), threads), await openSession(int8Graph(), threads)]
  const x = floats(
    Float32Array.from({ length: ROWS * IN }, (_, i) => (i % 13) / 13),
    [ROWS, IN]
  )
  const rows = new Tensor(
    'uint8',
    Uint8Array.from({ length: ROWS * IN }, (_, i) => i),
    [ROWS, IN]
  )
  return async () => ({ fp32: await bestRate(() => fp32.run({ x })), int8: await bestRate(() => int8.run({ x: rows })) })
}
