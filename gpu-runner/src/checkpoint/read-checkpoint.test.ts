import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { ModelError } from '../errors.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { CHECKPOINT_PARTS } from '../families/var/model/checkpoint-parts.ts'

const tar = Buffer.alloc(512)
tar.write('ustar', 257)

const files: Record<string, [Buffer | string, RegExp]> = {
  'an empty file': ['', /is empty: fetch the file again/],
  'a text': ['weights, one day', /is neither a \.pth checkpoint nor safetensors/],
  'eight bytes': ['\0\0\0\0\0\0\0\0', /is neither/],
  'a picture': [Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1'), /is a PNG picture/],
  'a pointer of Git LFS': ['version https://git-lfs.github.com/spec/v1\noid sha256:00', /run git lfs pull/],
  'a web page': ['<!doctype html><title>404</title>', /is a web page/],
  'torch’s old format': [
    Buffer.from('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.', 'latin1'),
    /from before 1\.6: load it in PyTorch and torch\.save it again/
  ],
  'a pickle': [Buffer.from('\x80\x04}.', 'latin1'), /is a bare Python pickle/],
  'torch’s first format, a tar archive': [tar, /is a tar archive/],
  'the end of a zip archive': ['PK\x05\x06', /is not a whole torch checkpoint/],
  'the start of a zip archive': ['PK\x03\x04', /is not a whole torch checkpoint/]
}

for (const [kind, [content, sentence]] of Object.entries(files)) {
  test(`${kind} is refused in a sentence that says what it is`, async (t) => {
    const path = join(await temporaryFolder(t), 'x.pth')
    await writeFile(path, content)
    await assert.rejects(readCheckpoint(path, CHECKPOINT_PARTS.transformer), (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error))
      assert.match(error.message, sentence)
      assert.ok(error.message.startsWith(path))
      return true
    })
  })
}

test('what is no regular file is refused at once, and so is a missing one', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'x.pth'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  await symlink('/dev/zero', join(folder, 'zero'))
  await symlink('loop', join(folder, 'loop'))
  const server = createServer().listen(join(folder, 'socket'))
  t.after(() => server.close())
  await once(server, 'listening')
  const read = (name: string) => readCheckpoint(join(folder, name), CHECKPOINT_PARTS.tokenizer)
  await assert.rejects(read('x.pth'), /x\.pth cannot be opened: it is a folder\.$/)
  await assert.rejects(read('pipe'), /pipe cannot be opened: it is not a regular file\.$/)
  await assert.rejects(read('zero'), /zero cannot be opened: it is not a regular file\.$/)
  await assert.rejects(read('socket'), /socket cannot be opened: it is not a regular file\.$/)
  await assert.rejects(read('loop'), /loop cannot be opened: it is a link that leads to itself\.$/)
  await assert.rejects(read('none'), /none cannot be opened: there is no such file\.$/)
})

test('a file that claims terabytes is refused without memory being taken for them', async (t) => {
  const path = join(await temporaryFolder(t), 'x.safetensors')
  await writeFile(path, Buffer.from('\0\0\0\0\x10\0\0\0{', 'latin1'))
  await assert.rejects(readCheckpoint(path, CHECKPOINT_PARTS.tokenizer), /is neither/)
  // A sparse file of which only the beginning takes any room.
  await writeFile(path, Buffer.from('\0\0\0\xf0\0\0\0\0{', 'latin1'))
  await truncate(path, 2 ** 33)
  await assert.rejects(
    readCheckpoint(path, CHECKPOINT_PARTS.tokenizer),
    /its header has 4026531840 bytes, and the tensors of a model may take 4194304 to describe/
  )
  await writeFile(path, 'PK\x03\x04')
  await truncate(path, 2 ** 33)
  await assert.rejects(readCheckpoint(path, CHECKPOINT_PARTS.tokenizer), /it has no zip directory/)
})
