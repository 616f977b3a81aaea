import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readCheckpoint } from '../../../checkpoint/read-checkpoint.ts'
import { CHECKPOINT_PARTS } from './checkpoint-parts.ts'
import { readTensorBytes } from '../../../checkpoint/read-safetensors.ts'
import { TINY_TOKENIZER, TINY_TRANSFORMER } from '../testing/tiny-checkpoint.ts'
import { writeRandomTokenizer, writeRandomTransformer } from './random-checkpoint.ts'

test('the same seed gives the same bytes, another seed others', async (t) => {
  const folder = await temporaryFolder(t)
  const written = async (name: string, seed: number) => {
    await writeRandomTokenizer(join(folder, name), TINY_TOKENIZER, { seed })
    return readFile(join(folder, name))
  }
  const [first, again, other] = [await written('a', 7), await written('b', 7), await written('c', 8)]
  assert.ok(first.equals(again))
  assert.ok(!first.equals(other))
})

test('values have the deviation their layer needs, and tables are those of the scales', async (t) => {
  const path = join(await temporaryFolder(t), 'var.pth')
  await writeRandomTransformer(path, TINY_TRANSFORMER, { seed: 1 })
  const tensors = await readCheckpoint(path, CHECKPOINT_PARTS.transformer)
  const bytes = async (name: string) => Uint8Array.from(await readTensorBytes(tensors.get(name) ?? assert.fail(name))).buffer
  const deviation = async (name: string) => {
    const values = new Float32Array(await bytes(name))
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
  }
  const { width, scales } = TINY_TRANSFORMER
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual / expected - 1) < 0.1, `${actual} for ${expected}`)
  near(await deviation('blocks.0.attn.mat_qkv.weight'), Math.sqrt(1 / (3 * width)))
  near(await deviation('head.weight'), 3 / Math.sqrt(width))
  near(await deviation('blocks.1.attn.scale_mul_1H11'), Math.log(4))
  const levels = new BigInt64Array(await bytes('lvl_1L'))
  assert.deepEqual(
    [...levels],
    scales.flatMap((side, k) => Array.from({ length: side * side }, () => BigInt(k)))
  )
  const mask = new Float32Array(await bytes('attn_bias_for_masking'))
  const tokens = levels.length
  for (const [i, value] of mask.entries()) {
    const [from, to] = [levels[Math.floor(i / tokens)] ?? 0n, levels[i % tokens] ?? 0n]
    assert.equal(value, to <= from ? 0 : -Infinity)
  }
})
