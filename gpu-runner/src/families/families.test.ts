import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelError } from '../errors.ts'
import { changeManifest, copyModel } from '../testing/change-model.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { openServedModel } from './open-served-model.ts'
import { loadFamilies, SHIPPED_FAMILIES } from './load-families.ts'

test('a manifest that names no family is of a VAR model, as is one that says so', async (t) => {
  const folder = await copyModel(t)
  await changeManifest(folder, (manifest) => (manifest.family = 'var'))
  for (const model of [await openServedModel(SHIPPED_MODEL), await openServedModel(folder)]) {
    assert.deepEqual([model.family, model.id], ['var', 'emoji-32'])
    await model.verifyHashes()
  }
})

test('the half of a family that the runner loads does without the runtime', async () => {
  const model = await openServedModel(SHIPPED_MODEL)
  model.card('step')
  assert.ok(process.report)
  const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] }
  assert.ok(sharedObjects.length > 0)
  assert.deepEqual(
    sharedObjects.filter((path) => path.includes('onnxruntime')),
    []
  )
})

for (const [what, family, shown] of [
  ['none of those there are', 'infinity', '"infinity"'],
  ['a name every object has', 'constructor', '"constructor"'],
  ['no text', null, 'null'],
  ['what a terminal would obey', '\u001b[2J', String.raw`"\u001b[2J"`]
] as const) {
  test(`a family that is ${what} is refused in one sentence that says which there are, whatever else is wrong`, async (t) => {
    const folder = await copyModel(t)
    await changeManifest(folder, (manifest) => Object.assign(manifest, { family, scales: 'none' }))
    await assert.rejects(openServedModel(folder), (error: unknown) => {
      assert.ok(error instanceof ModelError)
      assert.equal(error.message, `${folder}/manifest.json: /family is ${shown}, but a model is of one of these families: var.`)
      return true
    })
  })
}

test('a runner takes its families from a module, which has to export them', async () => {
  assert.deepEqual(Object.keys(await loadFamilies(SHIPPED_FAMILIES)), ['var'])
  await assert.rejects(
    loadFamilies(new URL('./seed-of.ts', import.meta.url).href),
    /seed-of\.ts exports no table of families as FAMILIES$/
  )
})
