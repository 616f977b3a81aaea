import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readCheckpoint } from '../../../checkpoint/read-checkpoint.ts'
import { CHECKPOINT_PARTS } from './checkpoint-parts.ts'
import { tensorBytes, type TensorMap, type TensorSpec } from '../../../checkpoint/tensor-info.ts'
import { GOLDEN_MODEL } from '../../../testing/folders.ts'
import { PUBLISHED_TOKENIZER, PUBLISHED_TRANSFORMERS } from './published.ts'
import { tokenizerTensors } from './tokenizer-tensors.ts'
import { transformerTensors } from './transformer-tensors.ts'

const listed = (tensors: readonly TensorSpec[]) => tensors.map(({ name, shape }) => [name, [...shape]])
const inFile = (tensors: TensorMap) => listed([...tensors.values()])
const parameters = (tensors: readonly TensorSpec[]) =>
  tensors
    .filter(({ name }) => !/^(lvl_1L|attn_bias_for_masking|.*zero_k_bias)$/.test(name))
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)

test('names, shapes and order are those of a checkpoint the reference wrote', async () => {
  const { scales } = PUBLISHED_TRANSFORMERS.d16
  const tokenizer = { ...PUBLISHED_TOKENIZER, vocabulary: 512, baseChannels: 32 }
  const transformer = {
    ...PUBLISHED_TRANSFORMERS.d16,
    depth: 2,
    width: 128,
    heads: 2,
    vocabulary: 512,
    classes: 10,
    scales
  }
  const read = (file: string, role: 'tokenizer' | 'transformer') =>
    readCheckpoint(join(GOLDEN_MODEL, file), CHECKPOINT_PARTS[role])
  assert.deepEqual(listed(tokenizerTensors(tokenizer)), inFile(await read('vae.pth', 'tokenizer')))
  assert.deepEqual(listed(transformerTensors(transformer)), inFile(await read('var.pth', 'transformer')))
})

test('the published sizes have the parameters and the bytes they were published with', () => {
  const rounded = Object.entries(PUBLISHED_TRANSFORMERS).map(([size, dims]) => [
    size,
    Math.round(parameters(transformerTensors(dims)) / 1e7)
  ])
  assert.deepEqual(Object.fromEntries(rounded), { d16: 31, d20: 60, d24: 103, d30: 201, d36: 235 })
  const tokenizer = tokenizerTensors(PUBLISHED_TOKENIZER)
  assert.equal(tokenizer.length, 324)
  assert.equal(Math.round(parameters(tokenizer) / 1e6), 109)
  const bytes = transformerTensors(PUBLISHED_TRANSFORMERS.d16).reduce((sum, tensor) => sum + tensorBytes(tensor), 0)
  assert.equal(bytes, 1_243_054_656)
})

test('one AdaLN for all blocks takes the place of one in each', () => {
  const names = transformerTensors({ ...PUBLISHED_TRANSFORMERS.d36, depth: 1 }).map(({ name }) => name)
  assert.deepEqual(
    names.filter((name) => /ada/.test(name)),
    ['shared_ada_lin.1.weight', 'shared_ada_lin.1.bias', 'blocks.0.ada_gss', 'head_nm.ada_lin.1.weight', 'head_nm.ada_lin.1.bias']
  )
})
