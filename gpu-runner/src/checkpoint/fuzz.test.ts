import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ModelError } from '../errors.ts'
import { philox } from '../sampler/philox.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { pth } from '../testing/write-pth.ts'
import { writeSafetensors } from '../testing/write-safetensors.ts'
import { pickle as p, tensorPickle } from './pickle-instructions.ts'
import { readCheckpoint } from './read-checkpoint.ts'

const ROUNDS = 3_000
const LONGEST_MS = 1_000
/** What a mutation writes: anything, or one of the bytes that turn counts, signs and braces around. */
const TELLING = [0x00, 0xff, 0x7f, 0x80, 0x28, 0x7d, 0x5b, 0x22]

/** A few changed bytes, a run that moves, or an end that is cut off, all drawn from the round. */
const mutated = (original: Buffer, round: number): Buffer => {
  const [where, what, how, many] = philox([round, 0, 0, 0], [1, 2])
  const bytes = Buffer.from(original)
  const at = (i: number) => (where + i * (how % 97)) % bytes.length
  for (let i = 0; i <= many % 3; i++) bytes[at(i)] = how % 2 === 0 ? what >>> (8 * i) : (TELLING[(what >>> (3 * i)) % 8] ?? 0)
  if (how % 11 === 0) bytes.copyWithin(at(1), at(2), at(2) + (many % 64))
  return how % 5 === 0 ? bytes.subarray(0, where % bytes.length) : bytes
}

/** Reads every mutation and says how many could be read. */
const fuzz = async (path: string, target = path): Promise<number> => {
  const original = await readFile(target)
  let read = 0
  for (let round = 0; round < ROUNDS; round++) {
    await writeFile(target, mutated(original, round))
    const begun = performance.now()
    try {
      await readCheckpoint(path, 'transformer')
      read++
    } catch (error) {
      assert.ok(error instanceof ModelError, `round ${round}: ${error instanceof Error ? error.stack : String(error)}`)
      assert.match(error.message, /^[^\p{C}]{20,600}\.$/u, `round ${round}`)
    }
    assert.ok(performance.now() - begun < LONGEST_MS, `round ${round} took ${performance.now() - begun} ms`)
  }
  return read
}

const whole = tensorPickle({ key: '0', elements: 6, shape: [2, 3], stride: [3, 1] })
const turned = tensorPickle({ key: '0', elements: 6, shape: [3, 2], stride: [1, 3] })
const SIX = { 0: Buffer.alloc(24, 1) }

// Changed values and checksums do not hinder reading; most other changes do.
for (const zip64 of [false, true]) {
  test(`whatever is changed in a .pth ${zip64 ? 'with 64-bit records ' : ''}it is read or refused in a sentence`, async (t) => {
    const path = join(await temporaryFolder(t), 'x.pth')
    await writeFile(path, pth(p.dict(p.text('a'), whole, p.text('b'), turned), SIX, { zip64 }))
    const read = await fuzz(path)
    assert.ok(read > 100 && read < ROUNDS - 100, String(read))
  })
}

test('whatever is changed in a safetensors file it is read or refused in a sentence', async (t) => {
  const path = join(await temporaryFolder(t), 'x.safetensors')
  await writeSafetensors(path, { a: { dtype: 'F32', shape: [2, 3] }, b: { dtype: 'BF16', shape: [4] } })
  const read = await fuzz(path)
  assert.ok(read > 100 && read < ROUNDS - 100, String(read))
})

test('whatever is changed in an index or in its shard it is read or refused in a sentence', async (t) => {
  const folder = await temporaryFolder(t)
  const [path, shard] = [join(folder, 'x.index.json'), join(folder, 's1.safetensors')]
  await writeSafetensors(shard, { a: { dtype: 'F32', shape: [2] }, b: { dtype: 'F16', shape: [1] } })
  await writeFile(
    path,
    JSON.stringify({ metadata: { total_size: 10 }, weight_map: { a: 's1.safetensors', b: 's1.safetensors' } })
  )
  const original = await readFile(path)
  const read = await fuzz(path)
  assert.ok(read > 50 && read < ROUNDS - 100, String(read))
  await writeFile(path, original)
  await fuzz(path, shard)
})
