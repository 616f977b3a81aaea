import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Check } from 'typebox/value'
import { CAPABILITIES } from '../capabilities/table.ts'
import { type AnnouncedCard, StoredCard, toModelCard } from './model-card.ts'
import { Model } from './model.ts'

const ANNOUNCED: AnnouncedCard = {
  id: 'painter',
  name: 'Painter',
  description: null,
  revision: 'r1',
  license: 'Apache-2.0',
  family: 'painting',
  sizes: [
    { width: 24, height: 16 },
    { width: 16, height: 24 }
  ],
  scales: [
    { height: 1, width: 2 },
    { height: 8, width: 12 }
  ],
  vocabulary_size: null,
  parameters: { transformer: 10, tokenizer: 0 },
  capabilities: ['prompt', 'cfg', 'top_k'],
  defaults: { cfg: 3 },
  classes: null,
  order: 0,
  announced_at: '2026-01-01T00:00:00.000Z'
}

test('a card is completed by what follows from it', () => {
  const { width, height, tokens_per_image, num_classes, defaults, capabilities, unsupported } = toModelCard(ANNOUNCED)
  assert.deepEqual([width, height, tokens_per_image, num_classes], [24, 16, 98, null])
  // A model that says no default of a capability has the neutral value; one without it has none.
  assert.partialDeepStrictEqual(defaults, { cfg: 3, top_k: 0, top_p: null })
  assert.deepEqual([...capabilities, ...unsupported].toSorted(), Object.keys(CAPABILITIES).toSorted())
})

test('what a later release tells of a model is left out', () => {
  const later = { ...ANNOUNCED, capabilities: ['prompt', 'depth_map'], defaults: { cfg: 3, depth: 1 }, colours: 3 }
  assert.ok(Check(StoredCard, later))
  const { classes: _classes, order: _order, announced_at: _announcedAt, ...model } = toModelCard(later)
  assert.deepEqual(model.capabilities, ['prompt'])
  assert.ok(Check(Model, { ...model, pools: ['default'], default: true }))
  assert.ok(!('colours' in model) && !('depth' in model.defaults))
})

test('a card without sizes or scales is none', () => {
  for (const wrong of [{ sizes: [] }, { scales: [] }, { sizes: [{ width: 0, height: 1 }] }, { family: undefined }])
    assert.ok(!Check(StoredCard, JSON.parse(JSON.stringify({ ...ANNOUNCED, ...wrong }))), JSON.stringify(wrong))
})
