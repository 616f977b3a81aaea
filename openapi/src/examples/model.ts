import type { Model } from '../schemas/model.ts'
import type { ServiceStatus } from '../schemas/status.ts'

export const model: Model = {
  id: 'var-d16',
  name: 'VAR-d16',
  description: null,
  revision: '2026-01-1',
  license: 'MIT',
  resolution: 256,
  scales: [1, 2, 3, 4, 5, 6, 8, 10, 13, 16],
  tokens_per_image: 680,
  vocabulary_size: 4096,
  num_classes: 1000,
  parameters: { transformer: 310_283_520, tokenizer: 108_951_459 },
  defaults: { cfg: 1.5, top_k: 900, top_p: 0.96 },
  unsupported: [],
  default: true
}

export const classes = { data: [{ label: 277, name: 'red fox' }], total: 1 }

export const status: ServiceStatus = {
  version: '0.1.0',
  accepting: true,
  queue: { waiting: 3, running: 4, oldest_wait_ms: 240 },
  runners: 1,
  models: [{ id: 'var-d16', runners: 1, latency_ms: 980, images_per_second: 4.1 }],
  unserved: []
}
