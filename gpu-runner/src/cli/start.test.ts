import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readCheckpoint } from '../checkpoint/read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'
import type { Manifest } from '../families/var/model/manifest.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { runModels } from '../testing/run-models.ts'
import { TINY_TOKENIZER, TINY_TRANSFORMER, writeTinyCheckpoint } from '../families/var/testing/tiny-checkpoint.ts'
import { writeSafetensors } from '../testing/write-safetensors.ts'

const SCALES = ['--scales', TINY_TRANSFORMER.scales.join(',')]
const FILES = ['--vae', 'vae.pth', '--var', 'var.pth']

/** A folder with a tiny checkpoint, and the command run in it. */
const prepare = async (t: TestContext, sizes: Parameters<typeof writeTinyCheckpoint>[1] = {}) => {
  const cwd = await temporaryFolder(t)
  await writeTinyCheckpoint(cwd, sizes)
  const models = (...args: string[]) => runModels(args, { cwd })
  const added = async (...args: string[]) => {
    const { status, stdout, stderr } = await models('add', ...FILES, ...args)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    return stdout
  }
  return { cwd, models, added }
}

const readManifest = async (...path: string[]) => JSON.parse(await readFile(join(...path, 'manifest.json'), 'utf8')) as Manifest

test('a checkpoint becomes a model folder that is listed and passes the check', async (t) => {
  const { cwd, models, added } = await prepare(t)
  const stdout = await added(...SCALES, '--id', 'tiny', '--name', 'Tiny', '--license', 'MIT')
  assert.match(stdout, /^tiny \(Tiny\): 8 px, 5 classes, .* F32, revision [0-9a-f]{12}\n/)
  assert.match(stdout, new RegExp(`MODELS=${cwd}/models/tiny npm start\n$`))
  const manifest = await readManifest(cwd, 'models/tiny')
  assert.deepEqual(manifest.scales, TINY_TRANSFORMER.scales)
  assert.deepEqual(manifest.classes, ['class 0', 'class 1', 'class 2', 'class 3', 'class 4'])
  assert.deepEqual(manifest.defaults, { cfg: 1.5, top_k: 64, top_p: 0.96 })
  assert.deepEqual([manifest.license, manifest.resolution], ['MIT', 8])

  const listed = await models('list', 'models/tiny')
  assert.match(listed.stdout, /^id .* folder\ntiny +Tiny +[0-9a-f]{12} +8 px +5 +.* F32 .*models\/tiny\n$/)
  const checked = await models('check', 'models/tiny')
  assert.deepEqual([checked.status, checked.stderr], [0, ''])
  assert.match(checked.stdout, /one image +loaded in \d+\.\d s, sampled in \d+\.\d s\nmemory +at most \d+ MB for .*\n$/)
})

test('scales need not be given where the checkpoint tells them, and are asked for where it does not', async (t) => {
  const { cwd, models, added } = await prepare(t)
  await added('--id', 'told')
  assert.deepEqual((await readManifest(cwd, 'models/told')).scales, TINY_TRANSFORMER.scales)
  const tensors = await readCheckpoint(join(cwd, 'var.pth'), CHECKPOINT_PARTS.transformer)
  const rest = [...tensors.values()].filter(({ name }) => name !== 'lvl_1L')
  await writeSafetensors(
    join(cwd, 'untold.safetensors'),
    Object.fromEntries(rest.map(({ name, dtype, shape }) => [name, { dtype, shape: [...shape] }]))
  )
  const { status, stderr } = await models('add', '--vae', 'vae.pth', '--var', 'untold.safetensors')
  assert.match(stderr, /give --scales with 3 growing sides whose squares sum to 21/)
  assert.equal(status, 1)
})

test('weights are linked, copied when asked, and never left as a symbolic link', async (t) => {
  const { cwd, added } = await prepare(t)
  assert.match(await added(...SCALES, '--to', 'linked', '--id', 'a'), /linked: it takes no room/)
  assert.equal((await stat(join(cwd, 'linked/var.pth'))).ino, (await stat(join(cwd, 'var.pth'))).ino)
  await added(...SCALES, '--to', 'copied', '--id', 'a', '--copy')
  assert.equal((await stat(join(cwd, 'copied/var.pth'))).nlink, 1)
  assert.deepEqual((await readManifest(cwd, 'copied')).revision, (await readManifest(cwd, 'linked')).revision)
  await mkdir(join(cwd, 'blobs'))
  await rename(join(cwd, 'var.pth'), join(cwd, 'blobs/0123'))
  await symlink('blobs/0123', join(cwd, 'var.pth'))
  await added(...SCALES, '--to', 'from-link', '--id', 'a')
  assert.ok((await stat(join(cwd, 'from-link/var.pth'))).isFile())
})

test('one AdaLN for all blocks works, and published scales need not be given', async (t) => {
  const scales = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
  const { cwd, models, added } = await prepare(t, {
    tokenizer: { ...TINY_TOKENIZER, scales: scales.length },
    transformer: { ...TINY_TRANSFORMER, sharedAdaln: true, scales }
  })
  await added('--id', 'shared')
  assert.deepEqual((await readManifest(cwd, 'models/shared')).scales, scales)
  assert.equal((await models('check', 'models/shared')).status, 0)
})

test('a thousand classes have ImageNet’s names, each of which a request can name', async (t) => {
  const { cwd, added } = await prepare(t, { transformer: { ...TINY_TRANSFORMER, classes: 1_000 } })
  await added(...SCALES)
  const { id, classes } = await readManifest(cwd, 'models/var')
  assert.equal(id, 'var')
  assert.deepEqual(
    [classes[0], classes[1], classes[207], classes[999]],
    ['tench', 'goldfish', 'golden retriever', 'toilet tissue']
  )
  assert.equal(new Set(classes.map((name) => name.toLowerCase())).size, 1_000)
})

test('class names come from a file', async (t) => {
  const { cwd, models, added } = await prepare(t)
  const withNames = async (text: string) => {
    await writeFile(join(cwd, 'names.txt'), text)
    return models('add', ...FILES, ...SCALES, '--classes', 'names.txt', '--id', 'x')
  }
  assert.match((await withNames('a\nb\n')).stderr, /--classes names\.txt has 2 names, but the transformer has 5 classes/)
  assert.match((await withNames('a\n\nc\nd\ne\n')).stderr, /--classes names\.txt has no name on line 2/)
  assert.match((await withNames('a\nb\nc\nd\nA\n')).stderr, /has the name "A" on lines 1 and 5: names must differ/)
  assert.match((await withNames(`a\nb\nc\nd\n${'e'.repeat(300)}`)).stderr, /a name of more than 200 characters on line 5/)
  await writeFile(join(cwd, 'names.txt'), Buffer.from('caf\xe9\nb\nc\nd\ne', 'latin1'))
  const latin = await models('add', ...FILES, ...SCALES, '--classes', 'names.txt', '--id', 'x')
  assert.match(latin.stderr, /--classes names\.txt is not UTF-8: it must be a text file/)
  await rm(join(cwd, 'names.txt'))
  execFileSync('mkfifo', [join(cwd, 'names.txt')])
  const pipe = await models('add', ...FILES, ...SCALES, '--classes', 'names.txt', '--id', 'x')
  assert.match(pipe.stderr, /--classes: names\.txt cannot be opened: it is not a regular file/)
  await rm(join(cwd, 'names.txt'))
  await writeFile(join(cwd, 'names.txt'), 'red fox\r\nb\nc\nd\ne\n')
  await added(...SCALES, '--classes', 'names.txt', '--id', 'y')
  assert.equal((await readManifest(cwd, 'models/y')).classes[0], 'red fox')
})

test('a checkpoint in shards is added with its shards', async (t) => {
  const { cwd, models } = await prepare(t)
  const index = { weight_map: {} as Record<string, string> }
  for (const name of (await readCheckpoint(join(cwd, 'var.pth'), CHECKPOINT_PARTS.transformer)).keys())
    index.weight_map[name] = 'var.pth'
  await writeFile(join(cwd, 'big.pth.index.json'), JSON.stringify(index))
  const { status, stderr } = await models('add', '--vae', 'vae.pth', '--var', 'big.pth.index.json', ...SCALES)
  assert.deepEqual([status, stderr], [0, ''])
  const { transformer } = (await readManifest(cwd, 'models/big')).files
  assert.deepEqual([transformer.path, transformer.shards?.map(({ path }) => path)], ['big.pth.index.json', ['var.pth']])
  assert.equal((await models('check', 'models/big')).status, 0)
})

const wrong: Record<string, [string[], RegExp]> = {
  'no verb of that name': [['remove'], /There is no "models remove": the verbs are list, check, push, add, random, bench/],
  'an unknown option': [['add', '--gpu'], /Unknown option '--gpu'\. Usage: nextscale models add --vae FILE --var FILE/],
  'a missing tokenizer': [['add', '--var', 'var.pth'], /--vae is missing: give the tokenizer's file/],
  'a missing transformer': [['add', '--vae', 'vae.pth'], /--var is missing: give the transformer's file/],
  'scales that are none': [['add', ...FILES, '--scales', '1,1,x'], /--scales must be 2 to 64 growing integers .*, not "1,1,x"/],
  'an id that is none': [
    ['add', ...FILES, ...SCALES, '--id', 'My Model'],
    /--id must have lower-case letters, .* not "My Model"/
  ],
  'an empty option': [['add', ...FILES, ...SCALES, '--name', ''], /--name is empty: give a value or leave it out/],
  'a check of no folder': [['check'], /1 arguments? .*Usage: nextscale models check FOLDER/],
  'a size there is not': [['random', 'd17', 'x'], /SIZE must be one of d16, d20, d24, d30, d36, not "d17"/],
  'a seed that is none': [['random', 'd16', 'x', '--seed', '-1'], /--seed/]
}

const refused: Record<string, [string[], RegExp]> = {
  'a file that is not there': [
    ['add', '--vae', 'none', '--var', 'var.pth'],
    /--vae: .*none cannot be opened: there is no such file/
  ],
  'swapped files': [
    ['add', '--vae', 'var.pth', '--var', 'vae.pth'],
    /--vae .*var\.pth is no VAR tokenizer: it is a transformer, so give it as --var/
  ],
  'scales that do not fit': [
    ['add', ...FILES, '--scales', '1,2,3'],
    /--scales has 3 sides whose squares sum to 14, which does not fit/
  ],
  'a target that is there': [['add', ...FILES, ...SCALES, '--to', '.'], /exists already: remove it, or give another --to/],
  'a target below a file': [
    ['add', ...FILES, ...SCALES, '--to', 'var.pth/x'],
    /var\.pth\/x .*: (remove it, or )?give another --to/
  ],
  'a check of no model': [['check', '.'], /is not a model folder: .*manifest\.json cannot be opened: there is no such file/],
  'a list of classes that is a folder': [
    ['add', ...FILES, ...SCALES, '--classes', '.'],
    /--classes: \. cannot be opened: it is a folder/
  ],
  'a list of classes without end': [
    ['add', ...FILES, ...SCALES, '--classes', '/dev/zero'],
    /--classes: \/dev\/zero cannot be opened: it is not a regular file/
  ],
  'a random checkpoint where something is': [['random', 'd16', 'vae.pth'], /exists already: remove it, or give another FOLDER/]
}

test('what cannot be done ends with exit code 1, a wrong command line with 2, a line that says what to do, and nothing written', async (t) => {
  const { cwd, models } = await prepare(t)
  for (const [kind, [args, sentence]] of Object.entries({ ...wrong, ...refused })) {
    const { status, stdout, stderr } = await models(...args)
    assert.match(stderr, sentence, kind)
    assert.match(stderr, /^nextscale models: [^\n]+\n$/, kind)
    assert.deepEqual([status, stdout], [kind in wrong ? 2 : 1, ''], kind)
    assert.deepEqual((await readdir(cwd)).sort(), ['vae.pth', 'var.pth'], kind)
  }
})

test('parts that do not belong together are refused before anything is written', async (t) => {
  const { cwd, models } = await prepare(t, { transformer: { ...TINY_TRANSFORMER, vocabulary: 128 } })
  const { status, stderr } = await models('add', ...FILES, ...SCALES)
  assert.match(stderr, /tensor head\.weight has shape 128 x 32, expected 64 x 32/)
  assert.equal(status, 1)
  assert.deepEqual((await readdir(cwd)).sort(), ['vae.pth', 'var.pth'])
})

test('changed weights fail the check', async (t) => {
  const { cwd, models, added } = await prepare(t)
  await added(...SCALES, '--id', 'tiny', '--copy')
  const path = join(cwd, 'models/tiny/vae.pth')
  const bytes = await readFile(path)
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  await writeFile(path, bytes)
  const { status, stderr } = await models('check', 'models/tiny')
  assert.equal(status, 1)
  assert.match(stderr, /tiny\/vae\.pth has sha256 \w{64}, but the manifest says \w{64}: fetch the file again/)
})

test('the list has the shipped models, those beside and those MODELS names; a broken one is named, the others shown', async (t) => {
  const { cwd, added } = await prepare(t)
  await added(...SCALES, '--id', 'tiny')
  await cp(SHIPPED_MODEL, join(cwd, 'elsewhere'), { recursive: true })
  const { status, stdout, stderr } = await runModels(['list'], { cwd, env: { MODELS: `${cwd}/elsewhere,${cwd}/none` } })
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ +/, 1)[0]),
    ['emoji-32', 'tiny', 'emoji-32']
  )
  assert.match(stderr, /none is not a model folder/)
  assert.equal(status, 1)
})
