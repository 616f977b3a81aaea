import type { Tensor } from 'onnxruntime-node'
import { downsampleMatrix, phiIndex, upsampleMatrix } from '../graphs/interpolation.ts'
import type { ModelShape } from '../model/shape.ts'
import { floats, ints } from '../../../onnx/tensors.ts'

/** What the step graph is fed for one scale, whatever the batch. */
export interface ScalePlan {
  /** Side n of the token map. */
  side: number
  /** Where its tokens begin among those of all scales. */
  begin: number
  /** Where they end. */
  end: number
  /** Guidance strength of this scale as a share of `cfg`: k / (S - 1). */
  guidanceShare: number
  feeds: Record<
    'upsample' | 'downsample' | 'phi_index' | 'next_begin' | 'next_end' | 'smooth_logit_scale' | 'smooth_noise_scale',
    Tensor
  >
}

/** Temperature of Gumbel blending at a share r of the scales: falls from 0.27, as in the reference. */
const blendTemperature = (share: number): number => Math.max(0.27 * (1 - 0.95 * share), 0.005)

/** (1 + r) / tau and 1 / tau. */
export const blendScales = (share: number): [logit: number, noise: number] => {
  const tau = blendTemperature(share)
  return [(1 + share) / tau, 1 / tau]
}

/** Constant inputs of every scale of a model. */
export const scalePlans = ({ scales, side, tokenizer }: ModelShape): ScalePlan[] => {
  let end = 0
  return scales.map((n, k) => {
    const begin = end
    end += n * n
    // After the last scale there is no next one; a single token stands in, and nothing reads it.
    const next = scales[k + 1]
    const span = next === undefined ? { size: 1, begin: 0 } : { size: next * next, begin: end }
    const downsample = next === undefined ? new Float32Array(side * side) : downsampleMatrix(side, next)
    const share = k / (scales.length - 1)
    const [logitScale, noiseScale] = blendScales(share)
    return {
      side: n,
      begin,
      end,
      guidanceShare: share,
      feeds: {
        upsample: floats(upsampleMatrix(n, side), [n * n, side * side]),
        downsample: floats(downsample, [side * side, span.size]),
        phi_index: ints([phiIndex(k, scales.length, tokenizer.phis)], []),
        next_begin: ints([span.begin]),
        next_end: ints([span.begin + span.size]),
        smooth_logit_scale: floats(Float32Array.of(logitScale), []),
        smooth_noise_scale: floats(Float32Array.of(noiseScale), [])
      }
    }
  })
}
