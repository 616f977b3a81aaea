import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Inspection } from './inspection.ts'
import { inspectModel } from './inspect-model.ts'
import { openServedModel } from './open-served-model.ts'
import { FAMILIES } from './table.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { checkModel } from '../cli/check.ts'
import { describeFolder, tableOf } from '../cli/list.ts'

/** A family with facts and checks that the commands have never heard of, in the place of one there is. */
const made = async (fault?: string) => {
  const model = await openServedModel(SHIPPED_MODEL)
  const inspection: Inspection = {
    model,
    name: 'A model of text to pictures',
    facts: async () => ({ prompts: 'up to 300 words' }),
    check: async ({ precision, say }) => {
      if (fault !== undefined) throw new Error(fault)
      say('prompts', `can be read in ${precision ?? 'its own precision'}`)
    }
  }
  return { var: { inspect: async () => inspection } }
}

test('models of any family are shown in one table: what a family has nothing to say of stays empty', async () => {
  const rows = [await describeFolder(SHIPPED_MODEL), await describeFolder(SHIPPED_MODEL, await made())]
  const [headings = '', first = '', second = ''] = tableOf(rows)
  assert.match(headings, /^id +name +revision +resolution +classes +parameters +precision +prompts +weights +folder$/)
  assert.match(first, /^emoji-32 .* 32 px +60 .* F16 .*23\.1 MB +\/\S+$/)
  assert.match(second, /^emoji-32 +A model of text to pictures +\w{12} +up to 300 words +23\.1 MB +\/\S+$/)
  assert.equal(second.indexOf('up to'), headings.indexOf('prompts'))
})

test('a model of any family is checked: manifest, hashes, and what its family looks at', async () => {
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  await checkModel(await inspectModel(SHIPPED_MODEL, await made()), { precision: 'int8', say })
  assert.deepEqual(
    said.map((line) => line.replace(/\d+(\.\d+)? (s|MB)/g, 'N $2')),
    [
      'manifest   emoji-32 (A model of text to pictures), revision f8220c2e1e3c, prompts up to 300 words',
      'hashes     N MB in N s',
      'prompts    can be read in int8',
      'memory     at most N MB for N MB of files'
    ]
  )
  await assert.rejects(
    checkModel(await inspectModel(SHIPPED_MODEL, await made('prompts are lost')), { precision: null, say }),
    /lost/
  )
})

test('without another table it is the one there is', async () => {
  assert.equal((await inspectModel(SHIPPED_MODEL)).model.id, 'emoji-32')
  assert.deepEqual(Object.keys(FAMILIES), Object.keys(await made()))
})
