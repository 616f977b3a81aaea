import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPTIONAL_CAPABILITIES } from '@nextscale/openapi'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { modelCard } from './card.ts'
import { openModel } from './open-model.ts'

test('only a runner that goes scale by scale says that it can stop at one', async () => {
  const model = await openModel(SHIPPED_MODEL)
  const unsupported = (form: 'step' | 'fused') => modelCard(model, 0, new Date(), form).unsupported
  assert.equal(unsupported('step').includes('stop_at_scale'), false)
  assert.equal(unsupported('fused').includes('stop_at_scale'), true)
  for (const field of unsupported('fused')) assert.ok(field in OPTIONAL_CAPABILITIES, field)
})
