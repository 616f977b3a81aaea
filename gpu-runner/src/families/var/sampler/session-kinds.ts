import type { SessionKind } from '../../../sampler/session-options.ts'
import { QUANTIZED_SESSION_CONFIG } from '../graphs/quantized-conv.ts'

/** AdaLN: used once per image and as large as half the blocks, so it is left in the checkpoint, unpacked. */
export const CONDITION: SessionKind = { config: { disable_prepacking: '1' } }

/** Of fp32: every scale has other sizes, and a memory pattern for each would hold blocks of its own between images. */
export const STEP: SessionKind = { options: { enableMemPattern: false } }

/** Of fp32: its few large tensors are given back after every picture, which costs two percent of the time. */
export const DECODER: SessionKind = { options: { enableCpuMemArena: false } }

export const INT8_DECODER: SessionKind = { config: QUANTIZED_SESSION_CONFIG }
