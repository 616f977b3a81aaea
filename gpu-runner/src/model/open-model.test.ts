import assert from 'node:assert/strict'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSafetensors } from '../checkpoint/read-safetensors.ts'
import type { TensorMap } from '../checkpoint/tensor-info.ts'
import { ModelError } from '../errors.ts'
import { conditionGraph } from '../graphs/condition.ts'
import { decoderGraph } from '../graphs/decoder.ts'
import { stepGraph } from '../graphs/step.ts'
import { SHIPPED_MODEL, temporaryFolder } from '../testing/folders.ts'
import { type HeaderEntry, writeSafetensors } from '../testing/write-safetensors.ts'
import type { Manifest } from './manifest.ts'
import { openModel, verifyHashes } from './open-model.ts'

type Change = (tensors: Record<string, HeaderEntry>) => void
const unchanged = () => undefined

const entries = (tensors: TensorMap) =>
  Object.fromEntries([...tensors.values()].map(({ name, dtype, shape }) => [name, { dtype, shape: [...shape] }]))

interface Changes {
  manifest?: (manifest: Manifest) => void
  transformer?: Change
  tokenizer?: Change
}

/** The shipped model with changed headers or manifest; its weights are zeros. */
const changedModel = async (t: TestContext, changes: Changes): Promise<string> => {
  const folder = await temporaryFolder(t)
  for (const file of ['tokenizer', 'transformer'] as const) {
    const tensors = entries(await readSafetensors(join(SHIPPED_MODEL, `${file}.safetensors`)))
    const change = changes[file] ?? unchanged
    change(tensors)
    await writeSafetensors(join(folder, `${file}.safetensors`), tensors)
  }
  const manifest = JSON.parse(await readFile(join(SHIPPED_MODEL, 'manifest.json'), 'utf8')) as Manifest
  changes.manifest?.(manifest)
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
  return folder
}

const buildGraphs = async (folder: string): Promise<void> => {
  const model = await openModel(folder)
  for (const build of [conditionGraph, stepGraph, decoderGraph]) build(model)
}

const refuses = (attempt: Promise<unknown>, sentence: RegExp) =>
  assert.rejects(attempt, (error: unknown) => {
    assert.ok(error instanceof ModelError, String(error))
    assert.match(error.message, sentence)
    return true
  })

test('the shipped model fits its manifest, and its sizes come from the tensors', async () => {
  const model = await openModel(SHIPPED_MODEL)
  await verifyHashes(model)
  assert.deepEqual(model.shape.transformer, { depth: 6, width: 256, heads: 4, headWidth: 64, classes: 60, sharedAdaln: false })
  assert.deepEqual(model.shape.tokenizer, { vocabulary: 1024, channels: 32, phis: 4, phiShare: 0.5, levels: 3 })
  assert.equal(model.shape.tokens, 155)
})

test('a file with another content is refused by name', async (t) => {
  const folder = await changedModel(t, {})
  await copyFile(join(SHIPPED_MODEL, 'tokenizer.safetensors'), join(folder, 'tokenizer.safetensors'))
  await refuses(verifyHashes(await openModel(folder)), /transformer\.safetensors has sha256 \w{64}, but the manifest says \w{64}/)
})

const shapes: Record<string, [Changes, RegExp]> = {
  'a missing transformer tensor': [
    { transformer: (tensors) => delete tensors['blocks.3.attn.proj.bias'] },
    /transformer\.safetensors has no tensor blocks\.3\.attn\.proj\.bias/
  ],
  'a missing decoder tensor': [
    { tokenizer: (tensors) => delete tensors['decoder.mid.block_2.conv1.weight'] },
    /tokenizer\.safetensors has no tensor decoder\.mid\.block_2\.conv1\.weight/
  ],
  'a tensor of the wrong shape': [
    { transformer: (tensors) => (tensors['head.weight'] = { dtype: 'F16', shape: [1000, 256] }) },
    /tensor head\.weight has shape 1000 x 256, expected 1024 x 256/
  ],
  'scales that do not fit the positions': [
    { manifest: (manifest) => (manifest.scales = [1, 2, 3, 4, 5, 7, 8]) },
    /tensor pos_1LC has shape 1 x 155 x 256, expected 1 x 168 x 256/
  ],
  'scales that do not grow': [{ manifest: (manifest) => (manifest.scales = [1, 3, 2, 4, 5, 6, 8]) }, /scales must grow/],
  'a resolution that is not decoded': [
    { manifest: (manifest) => (manifest.resolution = 64) },
    /decodes 8 x 8 codes to 32 px, but the manifest says resolution 64/
  ],
  'too few class names': [{ manifest: (manifest) => manifest.classes.pop() }, /names 59 classes, the transformer has 60/],
  'a default outside the vocabulary': [
    { manifest: (manifest) => (manifest.defaults.top_k = 2000) },
    /top_k is 2000, but the vocabulary has 1024/
  ],
  'a checkpoint of another kind': [
    { transformer: (tensors) => Object.keys(tensors).forEach((name) => name.startsWith('blocks.') && delete tensors[name]) },
    /it is not a VAR transformer/
  ],
  'a path that leaves the folder': [
    { manifest: (manifest) => (manifest.files.transformer.path = '../transformer.safetensors') },
    /manifest\.json: \/files\/transformer\/path/
  ],
  'an unknown manifest field': [
    { manifest: (manifest) => Object.assign(manifest, { scale: 1 }) },
    /manifest\.json: \/scale is not a field of a manifest/
  ]
}

for (const [kind, [changes, sentence]] of Object.entries(shapes)) {
  test(`${kind} stops the start with a sentence that names it`, async (t) => {
    await refuses(changedModel(t, changes).then(buildGraphs), sentence)
  })
}

test('a folder without a manifest, and one whose manifest is not JSON, are refused', async (t) => {
  const folder = await temporaryFolder(t)
  await refuses(openModel(folder), /is not a model folder: .*manifest\.json cannot be read/)
  await writeFile(join(folder, 'manifest.json'), '{')
  await refuses(openModel(folder), /manifest\.json is not valid JSON/)
})
