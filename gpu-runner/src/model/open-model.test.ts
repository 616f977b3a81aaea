import assert from 'node:assert/strict'
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSafetensors } from '../checkpoint/read-safetensors.ts'
import type { TensorMap } from '../checkpoint/tensor-info.ts'
import { buildGraphs } from '../cli/build-graphs.ts'
import { ModelError } from '../errors.ts'
import { SHIPPED_MODEL, temporaryFolder } from '../testing/folders.ts'
import { type HeaderEntry, writeSafetensors } from '../testing/write-safetensors.ts'
import { hashFile } from './hash-file.ts'
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

const buildAll = async (folder: string): Promise<void> => buildGraphs(await openModel(folder))

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

/** The shipped model with its transformer in two shards. */
const shardedModel = async (t: TestContext): Promise<string> => {
  const folder = await temporaryFolder(t)
  await cp(SHIPPED_MODEL, folder, { recursive: true })
  const tensors = Object.entries(entries(await readSafetensors(join(SHIPPED_MODEL, 'transformer.safetensors'))))
  const parts = { 'one.safetensors': tensors.slice(0, 40), 'two.safetensors': tensors.slice(40) }
  for (const [file, part] of Object.entries(parts)) await writeSafetensors(join(folder, file), Object.fromEntries(part))
  const weightMap = Object.entries(parts).flatMap(([file, part]) => part.map(([name]) => [name, file]))
  await writeFile(join(folder, 'transformer.index.json'), JSON.stringify({ weight_map: Object.fromEntries(weightMap) }))
  const entry = async (path: string) => ({ path, sha256: await hashFile(join(folder, path)) })
  await changeManifest(folder, async ({ files }) => {
    files.transformer = {
      ...(await entry('transformer.index.json')),
      shards: [await entry('one.safetensors'), await entry('two.safetensors')]
    }
  })
  return folder
}

const changeManifest = async (folder: string, change: (manifest: Manifest) => void | Promise<void>) => {
  const path = join(folder, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest
  await change(manifest)
  await writeFile(path, JSON.stringify(manifest))
}

test('a model in shards is opened, and each shard is held against its hash', async (t) => {
  const folder = await shardedModel(t)
  await buildAll(folder)
  await verifyHashes(await openModel(folder))
  await writeFile(join(folder, 'two.safetensors'), 'x', { flag: 'a' })
  await refuses(verifyHashes(await openModel(folder)), /two\.safetensors has sha256 \w{64}, but the manifest says/)
})

test('a shard without a hash is refused, and a listed one that is not there', async (t) => {
  const folder = await shardedModel(t)
  await changeManifest(folder, ({ files }) => void files.transformer.shards?.pop())
  await refuses(
    verifyHashes(await openModel(folder)),
    /is in two\.safetensors, which has no hash: list it in files\.transformer\.shards/
  )
  await changeManifest(folder, ({ files }) => {
    files.transformer.shards = ['two', 'three'].map((name) => ({ path: `${name}.safetensors`, sha256: '0'.repeat(64) }))
    files.transformer.shards.unshift({ path: 'one.safetensors', sha256: '0'.repeat(64) })
  })
  await refuses(verifyHashes(await openModel(folder)), /one\.safetensors has sha256/)
  await rm(join(folder, 'one.safetensors'))
  await refuses(openModel(folder), /one\.safetensors cannot be opened: there is no such file/)
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
    await refuses(changedModel(t, changes).then(buildAll), sentence)
  })
}

test('a folder without a manifest, and one whose manifest is not JSON, are refused', async (t) => {
  const folder = await temporaryFolder(t)
  await refuses(openModel(folder), /is not a model folder: .*manifest\.json cannot be read/)
  await writeFile(join(folder, 'manifest.json'), '{')
  await refuses(openModel(folder), /manifest\.json is not valid JSON/)
})
