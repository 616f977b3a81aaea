import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPTIONAL_CAPABILITIES } from '@nextscale/openapi'
import { SHIPPED_MODEL } from '../../testing/folders.ts'
import { modelCard } from './card.ts'
import { openModel } from './model/open-model.ts'

test('previews and drafts are offered where scales are run one by one, and not where all are one run', async () => {
  const model = await openModel(SHIPPED_MODEL)
  const unsupported = (form: 'step' | 'fused') => modelCard(model, form).unsupported
  const onlyByStep = unsupported('fused').filter((field) => !unsupported('step').includes(field))
  assert.deepEqual(onlyByStep.toSorted(), ['previews', 'stop_at_scale'])
  for (const field of unsupported('fused')) assert.ok(field in OPTIONAL_CAPABILITIES, field)
})
