import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InferenceSession } from '../onnx/onnxruntime.ts'
import { conditionGraph } from '../families/var/graphs/condition.ts'
import { openModel } from '../families/var/model/open-model.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { briefSession } from './brief-session.ts'
import { floatData, ints, pick } from '../onnx/tensors.ts'

const model = await openModel(SHIPPED_MODEL)
const options = { extra: { session: { model_external_initializers_file_folder_path: model.folder } } }
const labels = () => ({ labels: ints([3, 60]) })

test('a session opened for one run gives what one that stays open gives, and is closed after it, failed or not', async () => {
  const open = () => InferenceSession.create(conditionGraph(model), options)
  const opened: InferenceSession[] = []
  const brief = briefSession(async () => {
    const session = await open()
    opened.push(session)
    return session
  })
  const kept = await open()
  const expected = await kept.run(labels())
  for (let round = 0; round < 2; round++) {
    const outputs = await brief.run(labels())
    for (const name of ['modulation', 'head_modulation', 'x']) {
      assert.deepEqual(floatData(pick(outputs, name)), floatData(pick(expected, name)))
    }
  }
  await assert.rejects(brief.run({}), /labels/)
  assert.equal(opened.length, 3)
  for (const session of opened) await assert.rejects(session.run(labels()))
  await kept.release()
})
