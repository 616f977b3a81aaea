import assert from 'node:assert/strict'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startS3, temporaryFolder } from '@nextscale/platform/testing'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { runModels } from '../testing/run-models.ts'

const PLACE = 's3://models/a/1'
const MANIFEST = 'models/a/1/manifest.json'

/** An empty bucket, and the command with access to it. */
const open = async (t: TestContext) => {
  const server = await startS3('models')
  t.after(() => server.close())
  const cwd = await temporaryFolder(t)
  const { endpoint = '' } = server.access
  const env = { S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  const push = (folder: string, ...others: string[]) => runModels(['push', folder, ...others], { cwd, env })
  /** A folder with the shipped model under other names. */
  const renamed = async (name: string, fields: Record<string, string>) => {
    const folder = join(cwd, name)
    await cp(SHIPPED_MODEL, folder, { recursive: true })
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(Object.assign({}, manifest, fields)))
    return folder
  }
  return { server, push, renamed }
}

test('a model is put where nothing or the same one is; another id or revision there is named, and replaced when that is asked for', async (t) => {
  const { server, push, renamed } = await open(t)
  const first = await renamed('first', { id: 'one', revision: 'r1' })
  const ours = await push(first, PLACE)
  assert.deepEqual([ours.status, ours.stderr], [0, ''])
  assert.equal((await push(await renamed('again', { id: 'one', revision: 'r1', name: 'Other name' }), PLACE)).status, 0)
  const kept = server.objects.get(MANIFEST)
  for (const fields of [
    { id: 'two', revision: 'r1' },
    { id: 'one', revision: 'r2' }
  ]) {
    const other = await renamed(`${fields.id}-${fields.revision}`, fields)
    const refused = await push(other, PLACE)
    assert.equal(refused.status, 1)
    assert.equal(
      refused.stderr,
      `nextscale models: ${PLACE} has another model already: one, revision r1. Put ${fields.id}, revision ${fields.revision}, under another prefix, or replace what is there with --replace.\n`
    )
    assert.deepEqual(server.objects.get(MANIFEST), kept)
    assert.equal((await push(other, `s3://models/a/${fields.id}/${fields.revision}`)).status, 0)
  }
  const replaced = await push(join(first, '../two-r1'), PLACE, '--replace')
  assert.deepEqual([replaced.status, replaced.stderr], [0, ''])
  assert.match(String(server.objects.get(MANIFEST)), /"id":"two"/)
})

test('a manifest that nobody can read, or with other weights under the same revision, is not overwritten either', async (t) => {
  const { server, push, renamed } = await open(t)
  const folder = await renamed('first', { id: 'one', revision: 'r1' })
  const other = JSON.stringify({ id: 'one', revision: 'r1', files: { a: { path: 'a.bin', sha256: '0'.repeat(64) } } })
  for (const [there, named] of [
    ['{"id":', /has another model already: a manifest\.json that cannot be read\. Put one, revision r1, under/],
    ['[]', /has another model already: unknown, revision unknown\. /],
    [' '.repeat(2 ** 20 + 1), /: a manifest\.json that cannot be read\. /],
    [other, /: one, revision r1, with other files\. /]
  ] as const) {
    server.objects.set(MANIFEST, Buffer.from(there))
    const refused = await push(folder, PLACE)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, named)
    assert.equal(String(server.objects.get(MANIFEST)), there)
  }
})

test('a place that nothing can name is refused with what is wrong with it', async (t) => {
  const { push, server } = await open(t)
  for (const [place, sentence] of [
    [
      's3://bk/m/1',
      /^nextscale models: "s3:\/\/bk\/m\/1" is not the place of a model: it is written s3:\/\/bucket\/prefix, and the bucket's name must have 3 to 63 /
    ],
    ['s3://models', /, and a prefix must follow the bucket's name\.$/m],
    ['s3://models/a/../b', /, and no part of the prefix may be "\." or "\.\."\.$/m],
    ['models/a', /, and it must begin with s3:\/\/\.$/m]
  ] as const) {
    const { status, stderr } = await push(SHIPPED_MODEL, place)
    assert.notEqual(status, 0)
    assert.match(stderr, sentence)
  }
  assert.deepEqual(server.requests, [])
})
