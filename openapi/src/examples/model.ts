import { toModelCard } from '../schemas/model-card.ts'
import type { Model } from '../schemas/model.ts'
import type { ServiceStatus } from '../schemas/status.ts'

const {
  classes: _classes,
  order: _order,
  announced_at: _announcedAt,
  ...card
} = toModelCard({
  id: 'emoji-32',
  name: 'Emoji 32',
  description: '60 kinds of emoji at 32 px: a small model for first pictures and for tests.',
  revision: 'f8220c2e1e3c',
  license: 'Apache-2.0',
  family: 'var',
  sizes: [{ width: 32, height: 32 }],
  scales: [1, 2, 3, 4, 5, 6, 8].map((side) => ({ height: side, width: side })),
  vocabulary_size: 1024,
  parameters: { transformer: 7_559_960, tokenizer: 2_379_875 },
  defaults: { cfg: 1.5, top_k: 200, top_p: 0.95 },
  capabilities: [
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
  ],
  classes: Array.from({ length: 60 }, (_, label) => (label === 2 ? 'fox' : `kind ${label}`)),
  order: 0,
  announced_at: '2026-01-01T12:00:00.000Z'
})

export const model: Model = { ...card, pools: ['default'], default: true }

export const classes = { data: [{ label: 2, name: 'fox' }], total: 1 }

export const status: ServiceStatus = {
  version: '0.1.0',
  accepting: true,
  queue: { waiting: 3, running: 4, oldest_wait_ms: 240 },
  pools: [{ name: 'default', waiting: 3, running: 4, oldest_wait_ms: 240, runners: 1, models: ['emoji-32'] }],
  runners: 1,
  models: [{ id: 'emoji-32', runners: 1, latency_ms: 170, images_per_second: 24.5 }],
  unserved: []
}
