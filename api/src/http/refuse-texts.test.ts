import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pointersOf, problemOf } from '../testing/problem-of.ts'
import { openTestApp, post, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const WRONG = ['\u0000', 'a\u0000b', '\ud800', 'x\udfff', '\udc00\ud800']

const refused = async (body: object, path = '/generate') => problemOf(await post(context.app, path, body), 'text_refused')

test('half a surrogate pair and U+0000 are refused in every text of a body, at its field', async () => {
  for (const text of WRONG) {
    for (const field of ['prompt', 'negative_prompt', 'label', 'class_name', 'model']) {
      const problem = await refused({ [field]: text })
      assert.equal(problem.status, 422)
      assert.deepEqual(pointersOf(problem), [`/${field}`], JSON.stringify(text))
      assert.match(problem.detail, /The text has (U\+0000|one half of a surrogate pair), which /)
    }
    assert.deepEqual(pointersOf(await refused({ metadata: { 'a/b': text } })), ['/metadata/a~1b'])
    const named = await refused({ metadata: { [text]: 'x' } })
    assert.deepEqual(pointersOf(named), ['/metadata'])
    assert.match(named.detail, /^\/metadata: The name ".*" has /)
    assert.deepEqual(pointersOf(await refused({ url: `https://example.com/${text}` }, '/webhooks/test')), ['/url'])
  }
})

test('several are named together', async () => {
  const problem = await refused({ label: '\u0000', prompt: '\ud800', metadata: { a: '\udfff' } })
  assert.deepEqual(pointersOf(problem), ['/label', '/metadata/a', '/prompt'])
})

test('a text of whole characters is taken as it is', async () => {
  const label = 'fox 🦊 \u0001\t\n\ufffd\u202e'
  const { label: echoed } = (await post(context.app, '/generate', { label })).json<{ label: string }>()
  assert.equal(echoed, label)
})
