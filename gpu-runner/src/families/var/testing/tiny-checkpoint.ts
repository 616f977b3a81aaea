import { join } from 'node:path'
import { writeRandomTokenizer, writeRandomTransformer } from '../model/random-checkpoint.ts'
import type { TokenizerDims } from '../model/tokenizer-tensors.ts'
import type { TransformerDims } from '../model/transformer-tensors.ts'

export const TINY_TOKENIZER: TokenizerDims = {
  vocabulary: 64,
  channels: 8,
  baseChannels: 32,
  multipliers: [1, 1],
  phis: 4,
  scales: 3
}

export const TINY_TRANSFORMER: TransformerDims = {
  depth: 2,
  width: 32,
  heads: 2,
  vocabulary: 64,
  channels: 8,
  classes: 5,
  scales: [1, 2, 4],
  sharedAdaln: false
}

/** Writes `vae.pth` and `var.pth` of random weights into a folder and says where they are. */
export const writeTinyCheckpoint = async (
  folder: string,
  { tokenizer = TINY_TOKENIZER, transformer = TINY_TRANSFORMER, seed = 1 } = {}
): Promise<{ vae: string; var: string }> => {
  const paths = { vae: join(folder, 'vae.pth'), var: join(folder, 'var.pth') }
  await writeRandomTokenizer(paths.vae, tokenizer, { seed })
  await writeRandomTransformer(paths.var, transformer, { seed })
  return paths
}
