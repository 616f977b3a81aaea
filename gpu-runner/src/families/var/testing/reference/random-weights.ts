import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { elementCount } from '../../../../checkpoint/tensor-info.ts'
import { MANIFEST_FILE } from '../../../../model/manifest-file.ts'
import type { Manifest } from '../../model/manifest.ts'
import { philox } from '../../../../sampler/philox.ts'
import { type HeaderEntry, writeSafetensors } from '../../../../testing/write-safetensors.ts'
import { roundToHalf } from '../../../../testing/half.ts'
import { type Dimensions, type RandomTensor, tokenizerTensors, transformerTensors } from './random-shapes.ts'

/** Keeps these numbers apart from those of images with the same seed. */
const STREAM = 0x77656967

interface Draw {
  seed: number
  dtype: 'F32' | 'F16'
}

/** Values of tensor number `index`: key (seed, STREAM), counter (block of four values, index, 0, 0); exact in half precision. */
const drawValues = ({ shape, mean, spread }: RandomTensor, index: number, seed: number): Float64Array => {
  const values = new Float64Array(elementCount(shape))
  const meanOf = (i: number) => (typeof mean === 'number' ? mean : (mean[i % mean.length] ?? 0))
  for (let i = 0; i < values.length; i++) {
    if (i % 4 !== 0) continue
    philox([i / 4, index, 0, 0], [seed, STREAM]).forEach((word, lane) => {
      const even = (word + 0.5) * 2 ** -31 - 1
      if (i + lane < values.length) values[i + lane] = roundToHalf(meanOf(i + lane) + Math.sqrt(3) * spread * even)
    })
  }
  return values
}

const drawTensors = (tensors: Record<string, RandomTensor>, { seed, dtype }: Draw, file: number): Record<string, HeaderEntry> => {
  const drawn = Object.entries(tensors).map(([name, tensor], index) => {
    const values = drawValues(tensor, 2 * index + file, seed)
    return [name, { dtype, shape: tensor.shape, values }] as const
  })
  return Object.fromEntries(drawn)
}

/** Tensors the published transformer stores beside its weights: each token's scale, and who may not see whom. */
const buffers = (scales: readonly number[]): Record<string, HeaderEntry> => {
  const levels = scales.flatMap((n, k) => new Array<number>(n * n).fill(k))
  const mask = levels.flatMap((own) => levels.map((other) => (own >= other ? 0 : Number.NEGATIVE_INFINITY)))
  return {
    lvl_1L: { dtype: 'I64', shape: [1, levels.length], values: Float64Array.from(levels) },
    attn_bias_for_masking: { dtype: 'F32', shape: [1, 1, levels.length, levels.length], values: Float64Array.from(mask) }
  }
}

const fileEntry = async (folder: string, path: string) => ({
  path,
  sha256: createHash('sha256')
    .update(await readFile(join(folder, path)))
    .digest('hex')
})

/**
 * Writes a model folder with random weights: a manifest and two files with the names and shapes of the published ones.
 * The same dimensions and seed (uint32) give the same values, whether they are stored in fp32 or in half precision.
 */
export const writeRandomModel = async (folder: string, dimensions: Dimensions, draw: Draw): Promise<void> => {
  const { scales, classes, chMult, phiShare } = dimensions
  const transformer = { ...drawTensors(transformerTensors(dimensions), draw, 0), ...buffers(scales) }
  await writeSafetensors(join(folder, 'transformer.safetensors'), transformer)
  await writeSafetensors(join(folder, 'tokenizer.safetensors'), drawTensors(tokenizerTensors(dimensions), draw, 1))
  const manifest: Manifest = {
    manifest_version: 1,
    id: `random-${draw.seed}`,
    name: 'Random weights',
    revision: '1',
    license: 'Apache-2.0',
    resolution: (scales.at(-1) ?? 0) * 2 ** (chMult.length - 1),
    scales: [...scales],
    classes: Array.from({ length: classes }, (_, index) => `class ${index}`),
    defaults: { cfg: 3, top_k: 0, top_p: 1 },
    quant_resi: phiShare,
    files: {
      tokenizer: await fileEntry(folder, 'tokenizer.safetensors'),
      transformer: await fileEntry(folder, 'transformer.safetensors')
    }
  }
  await writeFile(join(folder, MANIFEST_FILE), JSON.stringify(manifest))
}
