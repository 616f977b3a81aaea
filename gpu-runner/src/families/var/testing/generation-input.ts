import type { GenerationInput } from '@nextscale/openapi'

/** Settings of a generation by the shipped model, with some of them changed. */
export const generationInput = (changes: Partial<GenerationInput> = {}): GenerationInput => ({
  model: 'emoji-32',
  model_revision: 'r1',
  class_label: 7,
  class_name: 'koala',
  prompt: null,
  negative_prompt: null,
  size: null,
  num_images: 3,
  seed: 40,
  cfg: 3,
  top_k: 200,
  top_p: 0.95,
  output: { format: 'png', quality: null, metadata: true },
  priority: 'normal',
  smooth: false,
  schedule: null,
  return_tokens: false,
  stop_at_scale: null,
  previews: [],
  keep: null,
  deadline_seconds: 600,
  start_deadline_seconds: null,
  retention_seconds: 86_400,
  ...changes
})
