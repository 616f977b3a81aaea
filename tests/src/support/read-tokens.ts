import assert from 'node:assert/strict'
import type { Model } from '@nextscale/openapi'

/** Fetches tokens and unpacks them as the contract says, knowing nothing but the model’s page, and of a draft how many there are. */
export const readTokens = async (
  url: string | null | undefined,
  model: Model,
  count = model.tokens_per_image
): Promise<number[]> => {
  const { vocabulary_size: vocabulary } = model
  assert.ok(vocabulary !== null, `${model.id} packs its tokens in a way of its own`)
  const answer = await fetch(url ?? '', { signal: AbortSignal.timeout(10_000) })
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/octet-stream'])
  const bytes = Buffer.from(await answer.arrayBuffer())
  const bits = BigInt(Math.ceil(Math.log2(vocabulary)))
  assert.equal(bytes.length, Math.ceil((count * Number(bits)) / 8))
  const whole = BigInt(`0x${bytes.reverse().toString('hex')}`)
  return Array.from({ length: count }, (_, i) => Number((whole >> (BigInt(i) * bits)) & ((1n << bits) - 1n)))
}
