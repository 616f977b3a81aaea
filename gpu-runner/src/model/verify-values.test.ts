import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { DTYPE_BYTES, type FloatDtype, type FloatTensor } from '../checkpoint/tensor-info.ts'
import { ModelError } from '../errors.ts'
import { MAY_BE_ONE_VALUE } from '../families/var/model/may-be-one-value.ts'
import { verifyValues as verifyValuesOf } from './verify-values.ts'

const verifyValues = (tensors: readonly FloatTensor[]) => verifyValuesOf(tensors, MAY_BE_ONE_VALUE)

/** Bits of numbers of each type. */
const BITS: Record<
  FloatDtype,
  Record<'one' | 'two' | 'negativeZero' | 'nan' | 'infinity' | 'negativeInfinity' | 'largest', number>
> = {
  F32: {
    one: 0x3f800000,
    two: 0x40000000,
    negativeZero: 0x80000000,
    nan: 0x7fc00001,
    infinity: 0x7f800000,
    negativeInfinity: 0xff800000,
    largest: 0xff7fffff
  },
  F16: {
    one: 0x3c00,
    two: 0x4000,
    negativeZero: 0x8000,
    nan: 0xfe01,
    infinity: 0x7c00,
    negativeInfinity: 0xfc00,
    largest: 0xfbff
  },
  BF16: {
    one: 0x3f80,
    two: 0x4000,
    negativeZero: 0x8000,
    nan: 0x7f81,
    infinity: 0x7f80,
    negativeInfinity: 0xff80,
    largest: 0xff7f
  }
}

/** A tensor whose values have these bits, in a file after as many other bytes as its type has. */
const tensorOf = async (t: TestContext, dtype: FloatDtype, bits: readonly number[], changes: Partial<FloatTensor> = {}) => {
  const file = join(await temporaryFolder(t), 'var.safetensors')
  const width = DTYPE_BYTES[dtype]
  const bytes = Buffer.alloc((1 + bits.length) * width, 0xff)
  bits.forEach((word, index) => bytes.writeUIntLE(word, (1 + index) * width, width))
  await writeFile(file, bytes)
  const shape = [2, bits.length / 2]
  return { name: 'head.weight', dtype, shape, file, offset: width, sizeBytes: bits.length * width, ...changes }
}

const refuses = (tensor: FloatTensor, sentence: RegExp) =>
  assert.rejects(verifyValues([tensor]), (error: unknown) => {
    assert.ok(error instanceof ModelError, String(error))
    assert.match(error.message, sentence)
    return true
  })

for (const dtype of ['F32', 'F16', 'BF16'] as const) {
  const bits = BITS[dtype]

  test(`values of ${dtype} that are NaN or infinite are counted, wherever they are`, async (t) => {
    // More than is read at once, with one value at either end.
    const many = Array.from({ length: 2 ** 20 + 6 }, (_, i) => (i % 2 === 0 ? bits.one : bits.largest))
    await verifyValues([await tensorOf(t, dtype, many)])
    for (const broken of [bits.nan, bits.infinity, bits.negativeInfinity]) {
      const changed = [broken, ...many.slice(1, -1), broken]
      await refuses(
        await tensorOf(t, dtype, changed),
        /^var\.safetensors: tensor head\.weight has NaN or infinite values \(2 of 1048582\), so the weights are damaged: fetch/
      )
    }
    await refuses(await tensorOf(t, dtype, Array<number>(6).fill(bits.nan)), /has NaN or infinite values \(6 of 6\)/)
  })

  test(`a matrix of ${dtype} that is all zeros, or of one value, is refused`, async (t) => {
    await refuses(await tensorOf(t, dtype, [0, 0, 0, 0]), /tensor head\.weight is all zeros/)
    await refuses(await tensorOf(t, dtype, [0, bits.negativeZero, 0, 0]), /tensor head\.weight is all zeros/)
    await refuses(await tensorOf(t, dtype, [bits.one, bits.one, bits.one, bits.one]), /head\.weight has one value everywhere/)
    await verifyValues([await tensorOf(t, dtype, [0, 0, 0, bits.two])])
  })
}

test('what may be all zeros is let be: vectors, biases, and tables that a model may have no use for', async (t) => {
  const zeros = [0, 0, 0, 0]
  await verifyValues([
    await tensorOf(t, 'F32', zeros, { shape: [1, 4] }),
    await tensorOf(t, 'F32', zeros, { name: 'blocks.0.attn.q_bias' }),
    await tensorOf(t, 'F32', zeros, { name: 'class_emb.weight' }),
    await tensorOf(t, 'F32', zeros, { name: 'blocks.0.ada_lin.1.weight' }),
    await tensorOf(t, 'F32', zeros, { name: 'quantize.quant_resi.qresi_ls.0.weight' })
  ])
})

test('values that were copied out of their file are looked at as well', async (t) => {
  const data = Uint8Array.from(Buffer.from(Uint32Array.of(BITS.F32.one, 0, BITS.F32.nan, 0).buffer))
  const tensor = await tensorOf(t, 'F32', [1, 2, 3, 4], { data })
  await refuses(tensor, /has NaN/)
})
