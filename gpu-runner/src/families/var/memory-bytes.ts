import type { SamplerForm } from '../../sampler/sampler-form.ts'
import { isUsed } from './card.ts'
import type { OpenModel } from './model/open-model.ts'

const BYTES_PER_VALUE = { float: 4, float16: 2 } as const

/**
 * Bytes that the weights of a model take in memory. Derived from their number, since it must be known before they are loaded, and
 * what a process holds says little while files are mapped. On a CPU they are computed in fp32, whatever the checkpoint has; int8 is
 * counted the same, which is a fifth too much, because embeddings, AdaLN and the decoder's constants stay in floats.
 */
export const memoryBytes = ({ tokenizer, transformer }: OpenModel, sampler: SamplerForm): number => {
  const float = sampler.form === 'fused' ? sampler.float : 'float'
  return (tokenizer.parameters(isUsed) + transformer.parameters(isUsed)) * BYTES_PER_VALUE[float]
}
