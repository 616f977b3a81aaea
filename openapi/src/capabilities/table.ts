import { cfg } from './cfg.ts'
import { classLabel } from './class-label.ts'
import { className } from './class-name.ts'
import { negativePrompt } from './negative-prompt.ts'
import { previews } from './previews.ts'
import { prompt } from './prompt.ts'
import { returnTokens } from './return-tokens.ts'
import { scheduleOf } from './schedule.ts'
import { size } from './size.ts'
import { smooth } from './smooth.ts'
import { stopAtScale } from './stop-at-scale.ts'
import { topK } from './top-k.ts'
import { topP } from './top-p.ts'

const plain = {
  class_label: classLabel,
  class_name: className,
  prompt,
  negative_prompt: negativePrompt,
  size,
  cfg,
  top_k: topK,
  top_p: topP,
  smooth
}

/** What models may honour. The order is that of the text in pictures, and so part of their bytes: add to the end of a kind. */
export const CAPABILITIES = {
  ...plain,
  schedule: scheduleOf(plain),
  stop_at_scale: stopAtScale,
  previews,
  return_tokens: returnTokens
}

export type CapabilityName = keyof typeof CAPABILITIES
