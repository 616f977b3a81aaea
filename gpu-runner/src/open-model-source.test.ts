import assert from 'node:assert/strict'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openServedModel } from './families/open-served-model.ts'
import { FAMILIES } from './families/table.ts'
import { openModelSource } from './open-model-source.ts'
import { openBucketWorld } from './testing/bucket-models.ts'
import { SHIPPED_MODEL } from './testing/folders.ts'

const FILES = ['manifest.json', 'tokenizer.safetensors', 'transformer.safetensors']

const open = async (t: Parameters<typeof openBucketWorld>[0]) => {
  const world = await openBucketWorld(t)
  for (const name of FILES) world.server.objects.set(`models/emoji/${name}`, await readFile(join(SHIPPED_MODEL, name)))
  const { access, cache, log } = world.options
  const source = await openModelSource({ modelBuckets: { cache, access } }, FAMILIES, log)
  t.after(() => source.close())
  return { ...world, source }
}

test('a model in a bucket is the model that its folder is', async (t) => {
  const { source } = await open(t)
  const [fetched, local] = [await source.open('s3://models/emoji'), await openServedModel(SHIPPED_MODEL)]
  assert.deepEqual(fetched.card('step'), local.card('step'))
  assert.ok(fetched.files.every((file) => !file.startsWith(SHIPPED_MODEL)))
})

for (const [what, damage] of [
  ['changed', async (path: string) => writeFile(path, (await readFile(path)).fill(7, 9_000_000, 9_000_100))],
  ['cut off', (path: string) => truncate(path, 100)]
] as const) {
  test(`cached weights that were ${what} since are fetched again`, async (t) => {
    const { source, told, server } = await open(t)
    const { files } = await source.open('s3://models/emoji')
    const path = files.find((file) => file.endsWith('transformer.safetensors')) ?? assert.fail()
    await damage(path)
    server.requests.length = 0
    await source.open('s3://models/emoji')
    assert.ok((await readFile(path)).equals(server.objects.get('models/emoji/transformer.safetensors') ?? Buffer.alloc(0)))
    assert.ok(server.requests.every(({ key }) => !key.includes('tokenizer')))
    assert.ok(told.some(({ msg }) => msg === 'the cached files of a model were damaged, and are fetched again'))
  })
}

test('a folder whose files are whole and that is no model is refused once', async (t) => {
  const { source, server } = await open(t)
  const manifest = JSON.parse(String(server.objects.get('models/emoji/manifest.json'))) as object
  server.objects.set('models/emoji/manifest.json', Buffer.from(JSON.stringify({ ...manifest, family: 'none' })))
  await assert.rejects(source.open('s3://models/emoji'), { name: 'ModelError', message: /family is "none"/ })
})
