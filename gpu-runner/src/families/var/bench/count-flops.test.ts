import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PUBLISHED_TOKENIZER, PUBLISHED_TRANSFORMERS } from '../model/published.ts'
import { tokenizerTensors } from '../model/tokenizer-tensors.ts'
import { transformerTensors } from '../model/transformer-tensors.ts'
import { decoderFlops, transformerFlops } from './count-flops.ts'

const { d16 } = PUBLISHED_TRANSFORMERS

test('a transformer one can count by hand', () => {
  const tensors = [
    { name: 'blocks.0.attn.mat_qkv.weight', shape: [12, 4] },
    { name: 'blocks.0.ffn.fc1.weight', shape: [16, 4] },
    { name: 'blocks.0.ada_lin.1.weight', shape: [24, 4] },
    { name: 'blocks.0.ffn.fc1.bias', shape: [16] },
    { name: 'head.weight', shape: [8, 4] }
  ]
  // 5 tokens in scales of 1 and 4, which see 1 and 5.
  const row = 5 * 2 * (48 + 64) + 2 * 96 + 4 * 4 * (1 * 1 + 4 * 5)
  assert.equal(transformerFlops(tensors, [1, 2], 2), 2 * row + 5 * 2 * 32)
})

test('a decoder one can count by hand', () => {
  const tensors = [
    { name: 'post_quant_conv.weight', shape: [2, 2, 3, 3] },
    { name: 'decoder.mid.attn_1.qkv.weight', shape: [6, 2, 1, 1] },
    { name: 'decoder.up.1.upsample.conv.weight', shape: [2, 2, 3, 3] },
    { name: 'decoder.up.0.block.0.conv1.weight', shape: [2, 2, 3, 3] },
    { name: 'decoder.conv_out.weight', shape: [3, 2, 3, 3] },
    { name: 'encoder.conv_in.weight', shape: [2, 3, 3, 3] },
    { name: 'decoder.norm_out.weight', shape: [2] }
  ]
  const coarse = 16 * 2 * (36 + 12) + 4 * 2 * 16 ** 2
  const fine = 64 * 2 * (36 + 36 + 54)
  assert.equal(decoderFlops(tensors, 4, 8), coarse + fine)
})

test('the published d16 at 256 px takes 0.6 TFLOP with guidance, and its decoder 0.4', () => {
  assert.equal((transformerFlops(transformerTensors(d16), d16.scales, 2) / 1e12).toFixed(2), '0.59')
  assert.equal((decoderFlops(tokenizerTensors(PUBLISHED_TOKENIZER), 16, 256) / 1e12).toFixed(2), '0.39')
})
