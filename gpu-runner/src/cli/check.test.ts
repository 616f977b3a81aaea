import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSafetensors, readTensorBytes } from '../checkpoint/read-safetensors.ts'
import { changeEntry, changeManifest, copyModel, type Part, renewHash } from '../testing/change-model.ts'
import { runModels } from '../testing/run-models.ts'

/** Changes the bits of tensors; the manifest has the new hash. */
const changeWeights = async (folder: string, part: Part, change: (name: string, bits: Uint16Array) => void): Promise<void> => {
  const path = join(folder, `${part}.safetensors`)
  const bytes = await readFile(path)
  for (const tensor of (await readSafetensors(path)).values()) {
    const bits = new Uint16Array(Uint8Array.from(await readTensorBytes(tensor)).buffer)
    change(tensor.name, bits)
    bytes.set(new Uint8Array(bits.buffer), tensor.offset)
  }
  await writeFile(path, bytes)
  await renewHash(folder, part)
}

const check = (folder: string, ...args: string[]) => runModels(['check', folder, ...args], { cwd: folder })

const [ZERO, NEGATIVE_ZERO, ONE, LARGEST, INFINITY, NAN] = [0, 0x8000, 0x3c00, 0x7bff, 0x7c00, 0x7e00]
const everywhere = (word: number) => (_: string, bits: Uint16Array) => void bits.fill(word)
/** One value of one tensor. */
const once = (tensor: string, word: number) => (name: string, bits: Uint16Array) => {
  if (name === tensor) bits[1] = word
}
/** Two values in turn: numbers, and none of them everywhere. */
const inTurn = (a: number, b: number) => (_: string, bits: Uint16Array) => bits.forEach((_, i) => (bits[i] = i % 2 === 0 ? a : b))

const damaged: Record<string, [Part, (name: string, bits: Uint16Array) => void, RegExp]> = {
  'a transformer of NaN': ['transformer', everywhere(NAN), /^transformer\.safetensors: tensor \S+ has NaN or infinite values \(/],
  'a transformer of infinity': ['transformer', everywhere(INFINITY), /tensor \S+ has NaN or infinite values/],
  'a transformer of zeros': ['transformer', everywhere(ZERO), /^transformer\.safetensors: tensor \S+ is all zeros/],
  'a transformer of negative zeros': ['transformer', everywhere(NEGATIVE_ZERO), /tensor \S+ is all zeros/],
  'a transformer of ones': ['transformer', everywhere(ONE), /tensor \S+ has one value everywhere/],
  'a transformer with one NaN': [
    'transformer',
    once('head.bias', NAN),
    /tensor head\.bias has NaN or infinite values \(1 of 1024\)/
  ],
  'a transformer that computes NaN': [
    'transformer',
    inTurn(LARGEST, ONE),
    /^at scale 0 the transformer cannot tell tokens apart \(its logits are NaN or infinite\)/
  ],
  'a transformer that makes no choice': [
    'transformer',
    (name, bits) => (name === 'head.bias' ? everywhere(ZERO) : inTurn(ONE, NEGATIVE_ZERO))(name, bits),
    /^at scale 0 the transformer cannot tell tokens apart \(its logits are all the same\)/
  ],
  'a tokenizer of NaN': ['tokenizer', everywhere(NAN), /^tokenizer\.safetensors: tensor \S+ has NaN or infinite values/],
  'a tokenizer of zeros': ['tokenizer', everywhere(ZERO), /^tokenizer\.safetensors: tensor \S+ is all zeros/],
  'a tokenizer with one infinity': [
    'tokenizer',
    once('decoder.conv_out.bias', INFINITY),
    /tensor decoder\.conv_out\.bias has NaN or infinite values \(1 of 3\)/
  ],
  'a tokenizer that paints one colour': ['tokenizer', inTurn(LARGEST, ONE), /^the image is of a single colour/]
}

for (const [kind, [part, change, sentence]] of Object.entries(damaged)) {
  test(`${kind} fails the check`, async (t) => {
    const folder = await copyModel(t)
    await changeWeights(folder, part, change)
    const { status, stdout, stderr } = await check(folder)
    assert.equal(status, 1)
    assert.match(stderr.replace(`${folder}: `, '').replace('nextscale models: ', ''), sentence)
    assert.match(stderr, /^[^\n]+, so the weights are damaged: fetch or export them again\.\n$/)
    assert.match(stdout, /\nshapes /)
    assert.doesNotMatch(stdout, /one image/)
  })
}

test('tensors that no graph has may hold anything', async (t) => {
  const folder = await copyModel(t)
  await changeWeights(folder, 'tokenizer', (name, bits) => void (name.startsWith('encoder.') && bits.fill(NAN)))
  const { status, stderr } = await check(folder)
  assert.deepEqual([status, stderr], [0, ''])
})

test('a weight of a type that cannot be used is a sentence that names file, tensor and type', async (t) => {
  const folder = await copyModel(t)
  await changeEntry(folder, 'transformer', 'head.bias', { dtype: 'I32', shape: [1_024] })
  const { status, stderr } = await check(folder)
  const sentence = 'transformer.safetensors: tensor head.bias has type I32, expected F32, F16 or BF16.'
  assert.deepEqual([status, stderr], [1, `nextscale models: ${sentence}\n`])
})

test('a manifest that is a pipe is refused at once', async (t) => {
  const folder = await copyModel(t)
  await rm(join(folder, 'manifest.json'))
  execFileSync('mkfifo', [join(folder, 'manifest.json')])
  for (const verb of ['check', 'list', 'bench']) {
    const { status, stderr } = await runModels([verb, folder], { cwd: folder })
    assert.equal(status, 1, verb)
    assert.match(stderr, /^nextscale models: [^\n]+manifest\.json cannot be opened: it is not a regular file\.\n$/, verb)
  }
})

test('what a manifest says of itself is only shown: no line is forged, nothing is obeyed', async (t) => {
  const folder = await copyModel(t)
  const evil = '\u001b[2J\u001b]0;title\u0007\nhashes     forged\u2028\u009b31m\u202e'
  await changeManifest(folder, (manifest) => Object.assign(manifest, { name: `evil${evil}`, revision: `r${evil}` }))
  const checked = await check(folder)
  assert.deepEqual([checked.status, checked.stderr], [0, ''])
  const heads = checked.stdout.split('\n').map((line) => line.split(' ', 1)[0])
  assert.deepEqual(heads, ['manifest', 'hashes', 'shapes', 'values', 'one', 'memory', ''])
  const listed = await runModels(['list', folder], { cwd: folder })
  assert.deepEqual([listed.status, listed.stdout.split('\n').length], [0, 3])
  await changeManifest(folder, (manifest) => Object.assign(manifest, { [`x${evil}`]: 1 }))
  const refused = await check(folder)
  assert.match(refused.stderr, /^nextscale models: [^\n]+ is not a field of a manifest\.\n$/)
  for (const text of [checked.stdout, listed.stdout, refused.stderr])
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u)
})
