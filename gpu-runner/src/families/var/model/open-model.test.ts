import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFile, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readSafetensors } from '../../../checkpoint/read-safetensors.ts'
import type { TensorMap } from '../../../checkpoint/tensor-info.ts'
import { buildGraphs } from './build-graphs.ts'
import { ModelError } from '../../../errors.ts'
import { SHIPPED_MODEL } from '../../../testing/folders.ts'
import { changeManifest, copyModel } from '../../../testing/change-model.ts'
import { measureWork } from '../../../testing/measure-work.ts'
import { type HeaderEntry, writeSafetensors } from '../../../testing/write-safetensors.ts'
import { hashFile } from '../../../model/hash-file.ts'
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

const buildAll = async (folder: string) => buildGraphs(await openModel(folder))

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
  const folder = await copyModel(t)
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

test('a model in shards is opened, and each shard is held against its hash', async (t) => {
  const folder = await shardedModel(t)
  await buildAll(folder)
  await verifyHashes(await openModel(folder))
  const bytes = await readFile(join(folder, 'two.safetensors'))
  await writeFile(join(folder, 'two.safetensors'), bytes.fill(1, bytes.length - 1))
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
  'a weight of a type that is no float': [
    { transformer: (tensors) => (tensors['word_embed.weight'] = { dtype: 'I32', shape: [256, 32] }) },
    /^transformer\.safetensors: tensor word_embed\.weight has type I32, expected F32, F16 or BF16\.$/
  ],
  'a bias of a type that is no float': [
    { tokenizer: (tensors) => (tensors['decoder.conv_out.bias'] = { dtype: 'U8', shape: [3] }) },
    /^tokenizer\.safetensors: tensor decoder\.conv_out\.bias has type U8, expected F32, F16 or BF16\.$/
  ],
  'a tensor without values': [
    { transformer: (tensors) => (tensors['word_embed.weight'] = { dtype: 'F16', shape: [0, 32] }) },
    /tensor word_embed\.weight has shape 0 x 32, so it has no values/
  ],
  'a larger scale than a runner can hold': [
    { manifest: (manifest) => (manifest.scales = [1, 60_000]) },
    /the model has 60000 codes on a side of the last scale, but may have 64 at most/
  ],
  'more tokens than a runner can hold': [
    { manifest: (manifest) => (manifest.scales = Array.from({ length: 40 }, (_, k) => 25 + k)) },
    /the model has 84540 tokens in all scales, but may have 16384 at most/
  ],
  'a larger picture than a runner can hold': [
    {
      tokenizer: (tensors) => {
        for (let level = 3; level < 12; level++)
          tensors[`decoder.up.${level}.block.0.conv1.weight`] = { dtype: 'F16', shape: [32, 32, 3, 3] }
      }
    },
    /the model has 16384 pixels on a side of the picture, but may have 2048 at most/
  ],
  'more blocks than a runner can hold': [
    {
      transformer: (tensors) => {
        for (let block = 6; block < 200; block++)
          tensors[`blocks.${block}.attn.mat_qkv.weight`] = { dtype: 'F16', shape: [768, 256] }
      }
    },
    /the model has 200 transformer blocks, but may have 128 at most/
  ],
  'a class of a name that no request can have': [
    { manifest: (manifest) => (manifest.classes[7] = `x${'\u0301'.repeat(1_000)}`) },
    /manifest\.json: \/classes\/7 has 1001 characters, and the name of a class may have 200/
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
    /manifest\.json: \/scale is not a field of a manifest\.$/
  ],
  'an unknown manifest field that a terminal would obey': [
    { manifest: (manifest) => Object.assign(manifest, { 'evil\n\u001b[31m\u202e': 1 }) },
    /^[^\p{C}]*manifest\.json: \/evil {2}\[31m {2}is not a field of a manifest\.$/u
  ]
}

for (const [kind, [changes, sentence]] of Object.entries(shapes)) {
  test(`${kind} stops the start with a sentence that names it`, async (t) => {
    await refuses(changedModel(t, changes).then(buildAll), sentence)
  })
}

/** A folder whose manifest has these bytes. */
const withManifest = async (t: TestContext, bytes: Buffer | string): Promise<string> => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'manifest.json'), bytes)
  return folder
}

const manifests: Record<string, [Buffer | string, RegExp]> = {
  'that is cut off': ['{', /manifest\.json is not valid JSON: [^\p{C}]+\.$/u],
  'that a terminal would obey': ['{"a":\u001bc\n\u009b2J}', /manifest\.json is not valid JSON: [^\p{C}]+ is not valid JSON\.$/u],
  'with a byte order mark': [
    `\ufeff{"manifest_version":1}`,
    /manifest\.json is not valid JSON: it begins with a byte order mark, so save it as UTF-8 without one\.$/
  ],
  'in UTF-16': [Buffer.from('\ufeff{}', 'utf16le'), /it begins with a byte order mark, so save it as UTF-8/],
  'in Latin-1': [Buffer.from('{"name":"caf\xe9"}', 'latin1'), /manifest\.json is not valid JSON: it is not UTF-8\.$/],
  'with a field twice': ['{"id":"a","files":{},"id":"b"}', /manifest\.json is not valid JSON: it has the name id twice\.$/],
  'that is nested without end': [`${'['.repeat(99)}${']'.repeat(99)}`, /it is nested more than 32 deep\.$/],
  'that is a list': ['[]', /manifest\.json: the manifest must be object\.$/]
}
for (const [kind, [bytes, sentence]] of Object.entries(manifests)) {
  test(`a manifest ${kind} is refused in one sentence`, async (t) => {
    await refuses(openModel(await withManifest(t, bytes)), sentence)
  })
}

test('a manifest that is missing, no regular file or without end is refused before it is read', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'manifest.json')
  await refuses(openModel(folder), /is not a model folder: .*manifest\.json cannot be opened: there is no such file\.$/)
  execFileSync('mkfifo', [path])
  await refuses(openModel(folder), /is not a model folder: .*manifest\.json cannot be opened: it is not a regular file\.$/)
  await rm(path)
  await symlink('/dev/zero', path)
  await refuses(openModel(folder), /manifest\.json cannot be opened: it is not a regular file\.$/)
  await rm(path)
  await writeFile(path, '{')
  await truncate(path, 2 ** 33)
  const sentence = /manifest\.json is too large: it has 8589934592 bytes and may have 1048576\.$/
  const { bytesRead } = await measureWork(() => refuses(openModel(folder), sentence))
  assert.ok(bytesRead < 100_000, `${bytesRead} bytes were read`)
})

test('a listed file that is a pipe is refused, and one that is listed again is read once', async (t) => {
  const folder = await copyModel(t)
  const { size } = await stat(join(folder, 'transformer.safetensors'))
  await changeManifest(folder, ({ files: { transformer } }) => (transformer.shards = Array(9).fill({ ...transformer })))
  const { bytesRead } = await measureWork(async () => verifyHashes(await openModel(folder)))
  assert.ok(bytesRead < 2 * size + 2 ** 20, `${bytesRead} bytes were read of ${size}`)
  execFileSync('mkfifo', [join(folder, 'pipe')])
  await changeManifest(folder, ({ files }) => (files.transformer.shards = [{ path: 'pipe', sha256: '0'.repeat(64) }]))
  await refuses(verifyHashes(await openModel(folder)), /pipe cannot be opened: it is not a regular file\.$/)
})
