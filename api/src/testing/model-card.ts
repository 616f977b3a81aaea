import { type ModelCard, toModelCard } from '@nextscale/openapi'

/** What models of the family `var` may take. */
const TAKEN = [
  'class_label',
  'class_name',
  'cfg',
  'top_k',
  'top_p',
  'smooth',
  'schedule',
  'stop_at_scale',
  'previews',
  'return_tokens'
] as const
/** What each of them takes. */
const ALWAYS: readonly string[] = ['class_label', 'class_name', 'cfg', 'top_k', 'top_p']

type Stored = Parameters<typeof toModelCard>[0]
type Announced = Extract<Stored, { family: string }>

const ANNOUNCED: Announced = {
  id: 'emoji-32',
  name: 'Emoji',
  description: null,
  revision: 'r1',
  license: 'Apache-2.0',
  family: 'var',
  sizes: [{ width: 32, height: 32 }],
  scales: [1, 2, 4].map((side) => ({ height: side, width: side })),
  vocabulary_size: 64,
  parameters: { transformer: 1000, tokenizer: 100 },
  defaults: { cfg: 2, top_k: 10, top_p: 0.9 },
  capabilities: [...ALWAYS],
  classes: ['Grinning Cat', 'grinning face', 'robot', 'robot'],
  order: 0,
  announced_at: '2026-01-01T00:00:00.000Z'
}

/** A card as the API has it, of a model that takes least of its family. */
export const modelCard = (changes: Partial<Announced> = {}): ModelCard => toModelCard({ ...ANNOUNCED, ...changes })

/** The same of one that takes all that its family may. */
export const ableCard = (changes: Partial<Announced> = {}): ModelCard => modelCard({ capabilities: [...TAKEN], ...changes })

/** A card of a model that is asked by prompts, and draws in two sizes. */
export const promptCard = (changes: Partial<Announced> = {}): ModelCard =>
  modelCard({
    id: 'painter',
    family: 'painting',
    sizes: [
      { width: 24, height: 16 },
      { width: 16, height: 24 }
    ],
    vocabulary_size: null,
    classes: null,
    defaults: { cfg: 4 },
    capabilities: ['prompt', 'negative_prompt', 'size', 'cfg', 'schedule', 'previews'],
    ...changes
  })

/** A card as a runner of the release before this one announces it, of a model that does not take what is named. */
export const earlierCard = (unsupported: readonly string[], changes: { id?: string } = {}) => {
  const { family: _family, sizes: _sizes, capabilities: _capabilities, ...announced } = ANNOUNCED
  return {
    ...announced,
    ...changes,
    resolution: 32,
    scales: [1, 2, 4],
    tokens_per_image: 21,
    vocabulary_size: 64,
    num_classes: 4,
    defaults: { cfg: 2, top_k: 10, top_p: 0.9 },
    classes: ['Grinning Cat', 'grinning face', 'robot', 'robot'],
    unsupported: [...unsupported]
  }
}
