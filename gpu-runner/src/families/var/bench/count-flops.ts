import type { TensorSpec } from '../../../checkpoint/tensor-info.ts'

/** Floating-point operations, a multiplication and an addition being two, of one image. */
export interface Work {
  transformer: number
  decoder: number
}

type Shaped = Pick<TensorSpec, 'name' | 'shape'>

/** A matrix [out, in] times one vector, or a kernel [out, in, k, k] at one pixel. */
const perPosition = ({ shape }: Shaped): number => 2 * shape.reduce((product, size) => product * size, 1)

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const BLOCK_MATRIX = /^blocks\.\d+\.(attn\.(mat_qkv|proj)|ffn\.fc[12])\.weight$/
const ADALN_MATRIX = /(^|\.)(ada_lin|shared_ada_lin)\.1\.weight$/
const QUERY_KEY_VALUE = /^blocks\.\d+\.attn\.mat_qkv\.weight$/

/**
 * Of a transformer on `rows` rows (2 with guidance): every block's matrices times every token; attention, 4 width n^2 L at a
 * scale of n^2 tokens that sees L; AdaLN once a row; the head once a token, since guidance comes before it.
 */
export const transformerFlops = (tensors: Iterable<Shaped>, scales: readonly number[], rows: number): number => {
  const all = [...tensors]
  const tokens = sum(scales.map((side) => side ** 2))
  let [seen, pairs] = [0, 0]
  for (const side of scales) {
    seen += side ** 2
    pairs += side ** 2 * seen
  }
  const of = (name: RegExp) => all.filter((tensor) => name.test(tensor.name))
  const attention = sum(of(QUERY_KEY_VALUE).map(({ shape }) => 4 * (shape[1] ?? 0) * pairs))
  const products = sum(of(BLOCK_MATRIX).map((matrix) => perPosition(matrix) * tokens))
  const adaln = sum(of(ADALN_MATRIX).map(perPosition))
  return rows * (attention + products + adaln) + sum(of(/^head\.weight$/).map((matrix) => perPosition(matrix) * tokens))
}

/** Side of the map a tensor of the decoder works on: level 0 is the finest, and a level's upsampling ends on the next. */
const sideAt = (name: string, side: number, finest: number): number => {
  const level = /^decoder\.up\.(\d+)\./.exec(name)?.[1]
  if (level !== undefined) return finest / 2 ** (name.includes('.upsample.') ? Number(level) - 1 : Number(level))
  return name.startsWith('decoder.conv_out') ? finest : side
}

/** Of post_quant_conv and the decoder, from codes [side, side]: every kernel at every pixel, and its attention, 4 C (h w)^2. */
export const decoderFlops = (tensors: Iterable<Shaped>, side: number, resolution: number): number => {
  const kernels = [...tensors].filter(({ name, shape }) => /^(decoder|post_quant_conv)\./.test(name) && shape.length === 4)
  return sum(
    kernels.map((kernel) => {
      const pixels = sideAt(kernel.name, side, resolution) ** 2
      const attention = kernel.name.endsWith('.qkv.weight') ? 4 * (kernel.shape[1] ?? 0) * pixels ** 2 : 0
      return perPosition(kernel) * pixels + attention
    })
  )
}
