import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { CommandError } from '../cli/command.ts'
import { readClasses } from '../families/var/cli/read-classes.ts'
import { ModelError } from '../errors.ts'
import { readManifest } from '../families/var/model/manifest.ts'
import { philox } from '../sampler/philox.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { measureWork } from '../testing/measure-work.ts'
import { pth } from '../testing/write-pth.ts'
import { writeSafetensors } from '../testing/write-safetensors.ts'
import { pickle as p, tensorPickle } from './pickle-instructions.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'

const ROUNDS = 3_000
/** What a mutation may cost beside its original: the work of all rounds, and the bytes of one. */
const MOST_WORK = 8
/** Beside what is read of the file: the runtime reads some tens of kilobytes of its own now and then, `/proc/self/maps` for one. */
const OF_THE_RUNTIME = 131_072
const MOST_BYTES = (length: number) => 4 * length + OF_THE_RUNTIME
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

/** Whether it could be read; what could not is refused in one line. */
const attempt = async (read: () => Promise<unknown>, round: number): Promise<boolean> => {
  try {
    await read()
    return true
  } catch (error) {
    const isForeseen = error instanceof ModelError || error instanceof CommandError
    assert.ok(isForeseen, `round ${round}: ${error instanceof Error ? error.stack : String(error)}`)
    assert.match(error.message, /^[^\p{C}\p{Zl}\p{Zp}]{20,1000}\.$/u, `round ${round}`)
    return false
  }
}

/** Has every mutation of a file read and says how many could be; each costs about what the file itself does. */
const fuzz = async (target: string, read: () => Promise<unknown>): Promise<number> => {
  const original = await readFile(target)
  const ordinary = await measureWork(async () => {
    for (let round = 0; round < ROUNDS / 10; round++) {
      await writeFile(target, original)
      await read()
    }
  })
  let count = 0
  let spent = 0
  for (let round = 0; round < ROUNDS; round++) {
    const { bytesRead, cpuMs } = await measureWork(async () => {
      await writeFile(target, mutated(original, round))
      if (await attempt(read, round)) count++
    })
    assert.ok(bytesRead <= MOST_BYTES(original.length), `round ${round} read ${bytesRead} bytes`)
    spent += cpuMs
  }
  assert.ok(
    spent <= 10 * MOST_WORK * ordinary.cpuMs,
    `${spent} ms for ${ROUNDS} rounds, ${ordinary.cpuMs} ms for a tenth unchanged`
  )
  await writeFile(target, original)
  return count
}

/** Changes of values, checksums and words do not hinder reading; most other changes do. */
const isSome = (count: number) => assert.ok(count > 50 && count < ROUNDS - 50, String(count))

const whole = tensorPickle({ key: '0', elements: 6, shape: [2, 3], stride: [3, 1] })
const turned = tensorPickle({ key: '0', elements: 6, shape: [3, 2], stride: [1, 3] })
const SIX = { 0: Buffer.alloc(24, 1) }

for (const zip64 of [false, true]) {
  test(`whatever is changed in a .pth ${zip64 ? 'with 64-bit records ' : ''}it is read or refused in a sentence`, async (t) => {
    const path = join(await temporaryFolder(t), 'x.pth')
    await writeFile(path, pth(p.dict(p.text('a'), whole, p.text('b'), turned), SIX, { zip64 }))
    isSome(await fuzz(path, () => readCheckpoint(path, CHECKPOINT_PARTS.transformer)))
  })
}

test('whatever is changed in a safetensors file it is read or refused in a sentence', async (t) => {
  const path = join(await temporaryFolder(t), 'x.safetensors')
  await writeSafetensors(path, { a: { dtype: 'F32', shape: [2, 3] }, b: { dtype: 'BF16', shape: [4] } })
  isSome(await fuzz(path, () => readCheckpoint(path, CHECKPOINT_PARTS.transformer)))
})

/** An index and its one shard. */
const sharded = async (t: TestContext) => {
  const folder = await temporaryFolder(t)
  const [path, shard] = [join(folder, 'x.index.json'), join(folder, 's1.safetensors')]
  await writeSafetensors(shard, { a: { dtype: 'F32', shape: [2] }, b: { dtype: 'F16', shape: [1] } })
  const weight_map = { a: 's1.safetensors', b: 's1.safetensors' }
  await writeFile(path, JSON.stringify({ metadata: { total_size: 10 }, weight_map }))
  return { path, shard, read: () => readCheckpoint(path, CHECKPOINT_PARTS.transformer) }
}

test('whatever is changed in an index or in its shard it is read or refused in a sentence', async (t) => {
  const { path, shard, read } = await sharded(t)
  isSome(await fuzz(path, read))
  isSome(await fuzz(shard, read))
})

test('whatever is changed in a manifest it is read or refused in a sentence', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'manifest.json')
  await writeFile(path, await readFile(join(SHIPPED_MODEL, 'manifest.json')))
  isSome(await fuzz(path, () => readManifest(folder)))
})

test('whatever is changed in a list of classes it is read or refused in a sentence', async (t) => {
  const path = join(await temporaryFolder(t), 'names.txt')
  await writeFile(path, 'cat\nred fox\nchat noir\nπ\nåland\n')
  isSome(await fuzz(path, () => readClasses(5, path)))
})
