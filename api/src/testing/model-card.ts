import { type ModelCard, OPTIONAL_CAPABILITIES } from '@nextscale/openapi'

/** A card as a runner would announce it. */
export const modelCard = (changes: Partial<ModelCard> = {}): ModelCard => ({
  id: 'emoji-32',
  name: 'Emoji',
  description: null,
  revision: 'r1',
  license: 'Apache-2.0',
  resolution: 32,
  scales: [1, 2, 4],
  tokens_per_image: 21,
  vocabulary_size: 64,
  num_classes: 4,
  parameters: { transformer: 1000, tokenizer: 100 },
  defaults: { cfg: 2, top_k: 10, top_p: 0.9 },
  unsupported: Object.keys(OPTIONAL_CAPABILITIES),
  classes: ['Grinning Cat', 'grinning face', 'robot', 'robot'],
  order: 0,
  announced_at: '2026-01-01T00:00:00.000Z',
  ...changes
})
