import { completeInput, type GenerationInput, type QueuedInput } from '@nextscale/openapi'

/** Settings of a generation by the shipped model, with some of them changed; those that are not said, also in `schedule`, ask for nothing. */
export const generationInput = (changes: Partial<QueuedInput> = {}): GenerationInput =>
  completeInput({
    model: 'emoji-32',
    model_revision: 'r1',
    class_label: 7,
    class_name: 'koala',
    num_images: 3,
    seed: 40,
    cfg: 3,
    top_k: 200,
    top_p: 0.95,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'normal',
    ...changes
  })
