import { tokenUniform } from '../../sampler/uniform-numbers.ts'
import { drawToken } from './draw.ts'
import { softmax } from './layers.ts'
import { contribution, lookUp } from './quantizer.ts'
import { addMaps, type FeatureMap, featureMap, type Matrix, matrix, row, stack } from './tensors.ts'
import { scaleLogits } from './transformer.ts'
import type { Reference } from './weights.ts'

/** Uniform number in (0, 1) of one vocabulary entry, from which its Gumbel noise is made. */
export type GumbelUniform = (scale: number, position: number, token: number) => number

/** Per-scale values that take the place of the request's own; each array has one entry per scale. */
export interface Schedule {
  /** Strength of guidance at the scale itself: no ramp. */
  cfg?: readonly number[]
  topK?: readonly number[]
  topP?: readonly number[]
  /** Scale 0's also gives the start token. */
  label?: readonly (number | null)[]
}

export interface ReferenceRequest {
  /** uint32 */
  seed: number
  /** Class index, or null for unconditional. */
  label: number | null
  /** Strength at the last scale, rising linearly from 0 at the first. */
  cfg: number
  /** 0 = off */
  topK: number
  /** 1 = off */
  topP: number
  schedule?: Schedule
  /** Blends codes by Gumbel-softmax with this noise; the tokens reported are still the drawn ones. */
  smooth?: GumbelUniform
  /** Scales to sample; all by default. */
  scales?: number
}

export interface ReferenceScale {
  /** n_k^2 of them */
  tokens: Int32Array
  /** After guidance, [n_k^2, vocabulary]. */
  logits: Matrix
  /** Running sum after this scale. */
  fHat: FeatureMap
  /** Smallest margin of this scale's draws: at one within rounding of fp32, an fp32 engine may draw another token. */
  margin: number
}

/** One scale's settings. */
interface Settings {
  strength: number
  topK: number
  topP: number
  /** Conditional class per scale 0..k. */
  classes: number[]
}

const settingsOf = ({ shape }: Reference, request: ReferenceRequest, scale: number): Settings => {
  const { schedule = {} } = request
  const share = scale / (shape.scales.length - 1)
  const labelOf = (k: number) => (schedule.label ? schedule.label[k] : request.label)
  return {
    strength: schedule.cfg?.[scale] ?? request.cfg * share,
    topK: schedule.topK?.[scale] ?? request.topK,
    topP: schedule.topP?.[scale] ?? request.topP,
    classes: Array.from({ length: scale + 1 }, (_, k) => labelOf(k) ?? shape.transformer.classes)
  }
}

/** (1 + t) conditional - t unconditional, [n_k^2, vocabulary]. */
const guidedLogits = (reference: Reference, { strength, classes }: Settings, fHats: readonly FeatureMap[]): Matrix => {
  const conditional = scaleLogits(reference, classes, fHats)
  if (strength === 0) return conditional
  const unconditional = scaleLogits(
    reference,
    classes.map(() => reference.shape.transformer.classes),
    fHats
  )
  const guided = conditional.data.map((value, i) => (1 + strength) * value - strength * (unconditional.data[i] ?? Number.NaN))
  return matrix(conditional.rows, conditional.columns, guided)
}

/** softmax((logits (1 + r) + gumbel) / tau) over the kept tokens, times their codes: [n_k^2, channels]. */
const blendedCodes = (reference: Reference, scale: number, kept: readonly Float64Array[], uniform: GumbelUniform): Matrix => {
  const { channels, vocabulary } = reference.shape.tokenizer
  const codes = matrix(vocabulary, channels, reference.tokenizer.take('quantize.embedding.weight'))
  const share = scale / (reference.shape.scales.length - 1)
  const temperature = Math.max(0.27 * (1 - 0.95 * share), 0.005)
  const blended = kept.map((logits, position) => {
    const noisy = logits.map((logit, token) => logit * (1 + share) - Math.log(-Math.log(uniform(scale, position, token))))
    const code = new Float64Array(channels)
    softmax(noisy.map((value) => value / temperature)).forEach((weight, token) => {
      row(codes, token).forEach((value, i) => (code[i] = (code[i] ?? 0) + weight * value))
    })
    return matrix(1, channels, code)
  })
  return stack(blended)
}

const sampleScale = (reference: Reference, request: ReferenceRequest, earlier: readonly ReferenceScale[]): ReferenceScale => {
  const { side, tokenizer } = reference.shape
  const scale = earlier.length
  const settings = settingsOf(reference, request, scale)
  const logits = guidedLogits(
    reference,
    settings,
    earlier.map(({ fHat }) => fHat)
  )
  const drawn = Array.from({ length: logits.rows }, (_, position) =>
    drawToken(row(logits, position), settings, tokenUniform(request.seed, scale, position))
  )
  const tokens = Int32Array.from(drawn, ({ token }) => token)
  const kept = drawn.map((one) => one.kept)
  const codes = request.smooth ? blendedCodes(reference, scale, kept, request.smooth) : lookUp(reference, tokens)
  const before = earlier.at(-1)?.fHat ?? featureMap(tokenizer.channels, side)
  const fHat = addMaps(before, contribution(reference, scale, codes))
  return { tokens, logits, fHat, margin: Math.min(...drawn.map(({ margin }) => margin)) }
}

/** Samples one image; every scale recomputes all tokens before it. `decodeReference` makes the picture of the last sum. */
export const sampleReference = (reference: Reference, request: ReferenceRequest): ReferenceScale[] => {
  const done: ReferenceScale[] = []
  const count = request.scales ?? reference.shape.scales.length
  while (done.length < count) done.push(sampleScale(reference, request, done))
  return done
}
