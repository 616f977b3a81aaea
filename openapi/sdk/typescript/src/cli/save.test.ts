import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { end, ID, problem, progress, stream } from '../testing/answers.ts'
import { runCommand } from '../testing/run-command.ts'
import { PICTURE, servePictures } from '../testing/serve-pictures.ts'
import type { Answer } from '../testing/stand-in.ts'

const START = fileURLToPath(new URL('start.ts', import.meta.url))

describe('the target of -o', () => {
  let cwd: string
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'nextscale-save-'))
    await mkdir(join(cwd, 'folder.png'))
    await mkdir(join(cwd, 'several-1.png'))
    await writeFile(join(cwd, 'file'), 'kept')
  })
  after(() => rm(cwd, { recursive: true }))
  const nextscale = (url: string, ...args: string[]) => runCommand([...args, '--url', url], { cwd })

  const long = `${'x'.repeat(300)}.png`
  const refused: [why: string, args: string[], line: string][] = [
    [
      'its folder is missing',
      ['-o', 'none/m.png'],
      '-o none/m.png cannot be written: there is no folder none. Name another file.'
    ],
    ['it is a folder', ['-o', 'folder.png'], '-o folder.png cannot be written: it is a folder. Name another file.'],
    ['it is this folder', ['-o', '.'], '-o . cannot be written: it is a folder. Name another file.'],
    ['it ends like a folder', ['-o', 'new/'], '-o new/ cannot be written: it is a folder. Name another file.'],
    [
      'it is below a file',
      ['-o', 'file/m.png'],
      '-o file/m.png cannot be written: a part of its path is no folder. Name another file.'
    ],
    ['its name is too long', ['-o', long], `-o ${long} cannot be written: the name is too long. Name another file.`],
    ['it has no name', ['-o', ''], '-o is empty: name a file, or - for standard output.'],
    [
      'one of several is a folder',
      ['-o', 'several.png', '--num-images', '2'],
      '-o several-1.png cannot be written: it is a folder. Name another file.'
    ],
    [
      'its name says another format',
      ['-o', 'fox.png', '--format', 'webp'],
      '-o fox.png and --format webp contradict each other: leave --format out, or choose another name.'
    ],
    [
      'its name says a format there is not',
      ['-o', 'fox.GIF'],
      '-o fox.GIF is no name for a picture: they are png, webp or jpeg. Choose a name that ends in one of them.'
    ],
    [
      'several go to standard output',
      ['-o', '-', '--num-images', '2'],
      '-o - has room for one picture, and there are 2: name a file.'
    ],
    ['JSON goes there too', ['-o', '-', '--json'], '-o - and --json both want standard output: leave one of them out.']
  ]
  for (const [why, args, line] of refused) {
    it(`is refused before anything is made where ${why}`, async () => {
      await using server = await servePictures(1)
      const ended = await nextscale(server.url, 'generate', 'fox', ...args)
      assert.deepEqual(ended, { code: 2, stdout: '', stderr: `nextscale: ${line}\n` })
      assert.deepEqual(server.seen, [])
    })
  }

  it('is refused where nobody may write, whoever asks', { skip: process.platform !== 'linux' }, async () => {
    await using server = await servePictures(1)
    const { code, stderr } = await nextscale(server.url, 'generate', '-o', '/proc/fox.png')
    assert.equal(code, 2)
    assert.match(stderr, /^nextscale: -o \/proc\/fox\.png cannot be written: .+\. Name another file\.\n$/)
    assert.deepEqual(server.seen, [])
  })

  it('is refused before a draft goes on, which knows how many pictures there are', async () => {
    await using server = await servePictures(2)
    const { code } = await nextscale(server.url, 'continue', ID, '-o', 'several.png')
    assert.deepEqual([code, server.seen.map(({ method }) => method)], [2, ['GET']])
  })

  it('is left as it was where nothing comes of the generation', async () => {
    const failed = { code: 'sampler_failed', message: 'It broke.', retryable: false }
    await using server = await servePictures(1, { events: stream([end('failed', { error: failed })]) })
    const before = await readdir(cwd)
    const { code, stderr } = await nextscale(server.url, 'generate', '-o', 'new.png')
    assert.deepEqual([code, stderr], [1, `nextscale: Generation ${ID} failed: It broke.\n`])
    await nextscale(server.url, 'generate', '-o', 'file')
    assert.deepEqual([await readdir(cwd), await readFile(join(cwd, 'file'), 'utf8')], [before, 'kept'])
  })

  it('may be any name where no format contradicts it, and a device', async () => {
    await using server = await servePictures(1)
    for (const [path, format] of [
      ['fox.jpg', 'jpeg'],
      ['fox.JPEG', 'jpg'],
      ['fox', 'webp'],
      ['v1.2', 'png'],
      ['/dev/null', 'png']
    ] as const) {
      const { code, stdout } = await nextscale(server.url, 'generate', '-o', path, '--format', format)
      assert.deepEqual([code, stdout], [0, `${path}\n`])
    }
  })

  it('- is standard output, with the bytes alone', async () => {
    await using server = await servePictures(1)
    assert.deepEqual(await nextscale(server.url, 'generate', 'fox', '-o', '-'), { code: 0, stdout: PICTURE, stderr: '' })
    assert.deepEqual(await nextscale(server.url, 'continue', ID, '-o', '-'), { code: 0, stdout: PICTURE, stderr: '' })
    assert.deepEqual(await nextscale(server.url, 'get', ID, '-o', '-'), { code: 0, stdout: PICTURE, stderr: '' })
  })

  it('- is refused on a terminal', { skip: process.platform !== 'linux' }, () => {
    const line = `${process.execPath} ${START} generate -o - --url http://127.0.0.1:9`
    const { stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { encoding: 'utf8', timeout: 30_000, input: '' })
    assert.match(stdout, /^nextscale: -o - would write a picture to the terminal: /)
  })

  const cut: Answer = (response) => response.writeHead(404).end()
  it('that fails after all, and pictures that cannot be fetched, leave the id and how to get them', async () => {
    const hint = `nextscale get ${ID} -o FILE saves it elsewhere or again.`
    await using server = await servePictures(1, { pictures: cut })
    const unfetched = await nextscale(server.url, 'generate', '-o', 'm.png')
    assert.equal(unfetched.code, 1)
    assert.match(unfetched.stderr, new RegExp(`^nextscale: ${ID} is made, but picture 0 was not fetched: .* ${hint}\n$`))
    await mkdir(join(cwd, 'goes'))
    const removes: Answer = (response) =>
      void rm(join(cwd, 'goes'), { recursive: true }).then(() => response.writeHead(200).end(PICTURE))
    await using removing = await servePictures(1, { pictures: removes })
    const unwritten = await nextscale(removing.url, 'generate', '-o', 'goes/m.png')
    const reason = 'goes/m.png cannot be written: there is no folder goes'
    assert.deepEqual(unwritten, { code: 1, stdout: '', stderr: `nextscale: ${ID} is made, but ${reason}. ${hint}\n` })
  })

  it('waits in vain where the server is lost: the id is left', async () => {
    await using server = await servePictures(1, { events: stream([progress(1)]), poll: problem(403, 'missing_scope') })
    const { code, stderr } = await nextscale(server.url, 'generate', '-o', 'm.png')
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(`${ID} goes on: nextscale get ${ID} -o FILE saves its pictures, nextscale cancel ${ID} ends it\\.\n$`)
    )
  })

  it('takes the pictures of a generation that is there', async () => {
    await using server = await servePictures(2)
    assert.equal((await nextscale(server.url, 'get', ID, '-o', 'again.png')).stdout, 'again-0.png\nagain-1.png\n')
    assert.equal(await readFile(join(cwd, 'again-1.png'), 'utf8'), PICTURE)
    const other = await nextscale(server.url, 'get', ID, '-o', 'again.webp')
    assert.deepEqual(
      [other.code, other.stderr],
      [2, 'nextscale: The picture is image/png, and -o again.webp says another format: choose another name.\n']
    )
    await using none = await servePictures(0)
    assert.match((await nextscale(none.url, 'get', ID, '-o', 'x.png')).stderr, /has no pictures to save: it is succeeded\.\n$/)
  })
})
