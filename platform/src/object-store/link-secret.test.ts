import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { loadLinkSecret } from './link-secret.ts'

test('processes that start at once agree on one secret, readable by its owner only', async (t) => {
  const directory = await temporaryFolder(t)
  const secrets = await Promise.all(Array.from({ length: 10 }, () => loadLinkSecret(join(directory, 'objects'))))
  assert.equal(new Set(secrets).size, 1)
  assert.match(secrets[0] ?? '', /^[0-9a-f]{64}$/)
  assert.equal((await stat(join(directory, 'objects', '.link-secret'))).mode & 0o777, 0o600)
})

test('a secret may be a link to a file; a named pipe in its place stops the start with a sentence', async (t) => {
  const directory = await temporaryFolder(t)
  await writeFile(join(directory, 'mounted'), 'a secret\n')
  await symlink('mounted', join(directory, '.link-secret'))
  assert.equal(await loadLinkSecret(directory), 'a secret')
  await rm(join(directory, '.link-secret'))
  execFileSync('mkfifo', [join(directory, '.link-secret')])
  await assert.rejects(loadLinkSecret(directory), /\.link-secret is empty, or no file: remove it, or set LINK_SECRET/)
})
