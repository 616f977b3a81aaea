import type { ContinueRequest } from '../schemas/continue-request.ts'
import type { GenerateRequest } from '../schemas/generate-request.ts'

interface Example<T> {
  summary: string
  value: T
}

const createGeneration: Record<string, Example<GenerateRequest>> = {
  class: { summary: 'A class by its name, with a seed to get it again', value: { class_name: 'fox', seed: 7 } },
  batch: {
    summary: 'Eight pictures as WebP, guided more strongly',
    value: { class_label: 2, num_images: 8, cfg: 4, output: { format: 'webp', quality: 85 }, metadata: { order: '17' } }
  },
  webhook: {
    summary: 'Announced when it has ended',
    value: { class_name: 'fox', webhook: { url: 'https://hooks.example.com/nextscale' } }
  },
  draft: { summary: 'A draft to look at before going on', value: { class_label: 2, seed: 7, stop_at_scale: 5 } },
  prompt: {
    summary: 'By a prompt and in a size, of a model that takes them',
    value: { prompt: 'a red fox in the snow', negative_prompt: 'text', size: '1024x768', seed: 7 }
  },
  minimal: { summary: 'Everything as the model has it', value: {} }
}

const continueGeneration: Record<string, Example<ContinueRequest>> = {
  variation: { summary: 'The first four scales as they are, the rest anew', value: { keep_scales: 4, seed: 8 } },
  whole: { summary: 'A draft at full size', value: {} }
}

/** Examples of request bodies, by operation. The first is the one shown. */
export const REQUEST_EXAMPLES: Readonly<Record<string, Record<string, Example<unknown>>>> = {
  createGeneration,
  continueGeneration,
  testWebhook: { receiver: { summary: 'A receiver', value: { url: 'https://hooks.example.com/nextscale' } } }
}
