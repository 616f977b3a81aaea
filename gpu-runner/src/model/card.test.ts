import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { modelCard } from './card.ts'
import { openModel } from './open-model.ts'

test('previews are offered where scales are run one by one, and not where all are one run', async () => {
  const model = await openModel(SHIPPED_MODEL)
  const unsupported = (form: 'step' | 'fused') => modelCard(model, { order: 0, form }, new Date()).unsupported
  assert.equal(unsupported('step').includes('previews'), false)
  assert.deepEqual(
    unsupported('fused').filter((field) => !unsupported('step').includes(field)),
    ['previews']
  )
})
