import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { firstModelOf } from './first-model.ts'
import { readPools } from './pools.ts'

const folder = mkdtempSync(join(tmpdir(), 'nextscale-models-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'big'))
writeFileSync(join(folder, 'big', 'manifest.json'), JSON.stringify({ id: 'big-one' }))

const first = (env: Record<string, string>) => firstModelOf(readPools(env), env)

test('of several pools the first model of the first is the default one', () => {
  assert.equal(first({ POOLS: `large=${join(folder, 'big')},models/emoji-32; small=models/emoji-32` }), 'big-one')
  assert.equal(first({ POOLS: `small=models/emoji-32; large=${join(folder, 'big')}` }), 'emoji-32')
  assert.equal(first({ POOLS: `small; large=${join(folder, 'big')}` }), 'emoji-32')
  assert.equal(first({ POOLS: 'a; b', MODELS: join(folder, 'big') }), 'big-one')
})

test('of one pool the API decides by itself, and of what lies in a bucket nobody knows the id', () => {
  assert.equal(first({ MODELS: join(folder, 'big') }), undefined)
  assert.equal(first({ POOLS: 'a=s3://models/big; b' }), undefined)
})
