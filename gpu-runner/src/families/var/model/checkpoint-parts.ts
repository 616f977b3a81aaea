import type { CheckpointPart } from '../../../checkpoint/read-pth.ts'

/** The two halves of a VAR model. */
export type CheckpointRole = 'tokenizer' | 'transformer'

/** Where the reference's trainer keeps each. */
export const CHECKPOINT_PARTS: Readonly<Record<CheckpointRole, CheckpointPart>> = {
  tokenizer: { name: 'tokenizer', within: ['trainer', 'vae_local'] },
  transformer: { name: 'transformer', within: ['trainer', 'var_wo_ddp'] }
}
