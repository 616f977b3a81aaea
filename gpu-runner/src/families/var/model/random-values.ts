import type { TensorSpec } from '../../../checkpoint/tensor-info.ts'
import { elementCount } from '../../../checkpoint/tensor-info.ts'
import { philox } from '../../../sampler/philox.ts'
import type { TransformerDims } from './transformer-tensors.ts'

const POOL_SIZE = 2 ** 18
const CHUNK_SIZE = 2 ** 20
/** Values taken from the pool in one run: far shorter than the pool, or tensors would repeat each other. */
const RUN_SIZE = 2 ** 14
/** Counters of the draws from the pool must differ from those that fill it. */
const POOL_STREAM = 0
const RUN_STREAM = 1

const bytesOf = (values: Float32Array | BigInt64Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

const unit = (word: number) => (word + 1) / (2 ** 32 + 1)

/** Standard normal numbers by Box and Muller, four from each block of the generator. */
const normals = (seed: number): Float32Array => {
  const pool = new Float32Array(POOL_SIZE)
  for (let at = 0; at < POOL_SIZE; at += 4) {
    const [a, b, c, d] = philox([at, 0, 0, POOL_STREAM], [seed, 0])
    const [r, s] = [Math.sqrt(-2 * Math.log(unit(a))), Math.sqrt(-2 * Math.log(unit(c)))]
    const [t, u] = [2 * Math.PI * unit(b), 2 * Math.PI * unit(d)]
    pool.set([r * Math.cos(t), r * Math.sin(t), s * Math.cos(u), s * Math.sin(u)], at)
  }
  return pool
}

export interface RandomSource {
  /** Pieces of `count` normal numbers of mean 0 and that deviation. A piece is overwritten by the next. */
  normal(count: number, deviation: number): Generator<Uint8Array>
}

/**
 * Normal numbers fast enough for gigabytes: a pool drawn once, read in runs that begin anywhere and have either sign.
 * The same seed and the same calls give the same numbers.
 */
export const randomSource = (seed: number): RandomSource => {
  const pool = normals(seed)
  let runs = 0
  const fill = (values: Float32Array, begin: number, end: number, deviation: number) => {
    const [where, sign] = philox([runs++, 0, 0, RUN_STREAM], [seed, 0])
    const offset = where % (POOL_SIZE - RUN_SIZE)
    const scale = sign % 2 === 0 ? deviation : -deviation
    for (let i = begin; i < end; i++) values[i] = (pool[offset + i - begin] ?? 0) * scale
  }
  return {
    *normal(count, deviation) {
      const chunk = new Float32Array(Math.min(count, CHUNK_SIZE))
      for (let done = 0; done < count; done += chunk.length) {
        const length = Math.min(chunk.length, count - done)
        for (let at = 0; at < length; at += RUN_SIZE) fill(chunk, at, Math.min(at + RUN_SIZE, length), deviation)
        yield bytesOf(chunk.subarray(0, length))
      }
    }
  }
}

export function* constant(count: number, value: number): Generator<Uint8Array> {
  const chunk = new Float32Array(Math.min(count, CHUNK_SIZE)).fill(value)
  for (let done = 0; done < count; done += chunk.length) yield bytesOf(chunk.subarray(0, Math.min(chunk.length, count - done)))
}

/** Index of each token's scale. */
export function* levels(scales: readonly number[]): Generator<Uint8Array> {
  yield bytesOf(BigInt64Array.from(scales.flatMap((side, k) => Array.from({ length: side * side }, () => BigInt(k)))))
}

/** What training adds to attention scores: nothing for own and earlier scales, minus infinity for later ones. */
export function* causalMask({ scales }: TransformerDims, { shape }: TensorSpec): Generator<Uint8Array> {
  const row = new Float32Array(shape.at(-1) ?? 0).fill(-Infinity)
  let visible = 0
  for (const side of scales) {
    row.fill(0, visible, visible + side * side)
    visible += side * side
    for (let token = 0; token < side * side; token++) yield bytesOf(row)
  }
}

export const fanIn = ({ shape }: TensorSpec): number => elementCount(shape.slice(1))
