import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAPABILITIES, type CapabilityName, toModelCard } from '@nextscale/openapi'
import { SHIPPED_MODEL } from '../../testing/folders.ts'
import { modelCard } from './card.ts'
import { openModel } from './model/open-model.ts'

test('previews and drafts are offered where scales are run one by one, and not where all are one run', async () => {
  const model = await openModel(SHIPPED_MODEL)
  const taken = (form: 'step' | 'fused'): readonly CapabilityName[] => modelCard(model, form).capabilities
  const onlyByStep = taken('step').filter((field) => !taken('fused').includes(field))
  assert.deepEqual(onlyByStep.toSorted(), ['previews', 'stop_at_scale'])
  assert.deepEqual(
    taken('fused').filter((field) => !taken('step').includes(field)),
    []
  )
})

test('the card says what the API tells of the model', async () => {
  const card = modelCard(await openModel(SHIPPED_MODEL), 'step')
  const { width, height, tokens_per_image, num_classes, unsupported } = toModelCard({
    ...card,
    capabilities: [...card.capabilities],
    order: 0,
    announced_at: '2026-01-01T00:00:00.000Z'
  })
  assert.deepEqual([width, height, tokens_per_image, num_classes], [32, 32, 155, 60])
  assert.deepEqual(
    unsupported,
    Object.keys(CAPABILITIES).filter((name) => !card.capabilities.some((taken) => taken === name))
  )
  for (const name of ['prompt', 'negative_prompt', 'size']) assert.ok(unsupported.includes(name), name)
})
