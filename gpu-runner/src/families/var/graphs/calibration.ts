import type { OpenModel } from '../model/open-model.ts'
import { GraphBuilder, type Value } from '../../../onnx/graph-builder.ts'
import { decodedPixels } from './decoder.ts'
import { observedConv3x3 } from './quantized-conv.ts'

/**
 * The decoder in fp32, which also tells what its 3 x 3 convolutions are given and give.
 *
 * Input: `f_hat` fp32 [B, channels, side, side]. Output: `ranges` fp32 [convolutions, 4], least and greatest of the input
 * and of the output of each convolution, in the order of `names`; `pixels` as the decoder's.
 */
export const calibrationGraph = (model: OpenModel): { graph: Uint8Array; names: readonly string[] } => {
  const { side, tokenizer } = model.shape
  const g = new GraphBuilder('calibration')
  const observed = new Map<string, Value>()
  const fHat = g.input('f_hat', 'float', ['B', tokenizer.channels, side, side])
  g.output('pixels', decodedPixels(g, model, fHat, observedConv3x3(observed)), 'uint8')
  const rows = [...observed.values()].map((row) => g.reshape(row, [1, -1]))
  g.output('ranges', g.op('Concat', rows, { axis: 0 }), 'float')
  return { graph: g.build(), names: [...observed.keys()] }
}
