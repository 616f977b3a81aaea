import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { json } from '../testing/answers.ts'
import { runCommand } from '../testing/run-command.ts'
import { startStandIn } from '../testing/stand-in.ts'
import { readConfig } from './config.ts'

const nothing = json(200, { data: [], next_cursor: null })

describe('what npm start keeps', () => {
  let cwd: string
  let home: string
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'nextscale-config-'))
    home = join(cwd, '.nextscale')
    await mkdir(home)
    await writeFile(join(home, 'api-key'), 'launcher-key\n')
  })
  after(() => rm(cwd, { recursive: true }))
  const nextscale = (args: string[], env = {}) => runCommand(args, { cwd, env })

  it('is the key, for this machine alone', async () => {
    await using server = await startStandIn(nothing)
    const keyWith = async (args: string[], env = {}) => {
      await nextscale(['list', ...args], { NEXTSCALE_URL: server.url, ...env })
      return server.seen.at(-1)?.headers.authorization
    }
    assert.equal(await keyWith([]), 'Bearer launcher-key')
    assert.equal(await keyWith(['--api-key', 'mine']), 'Bearer mine')
    assert.equal(await keyWith([], { NEXTSCALE_API_KEY: 'env' }), 'Bearer env')
    const keyFor = (url: string) => readConfig({ url }, { NEXTSCALE_HOME: home }).apiKey
    assert.equal(keyFor('http://localhost:8080'), 'launcher-key')
    assert.equal(keyFor('http://[::1]:8080/v1'), 'launcher-key')
    for (const { address, family } of Object.values(networkInterfaces()).flatMap((known) => known ?? []))
      if (family === 'IPv4') assert.equal(keyFor(`http://${address}:8080`), 'launcher-key')
    const strangers = [
      'http://127.0.0.1.example.com',
      'http://localhost@example.com',
      'http://localhost:1@example.com',
      'http://example.com@localhost',
      'https://example.com',
      'ftp://localhost',
      'localhost:8080'
    ]
    for (const url of strangers) assert.equal(keyFor(url), undefined, url)
  })

  it('is the address, which options and the environment outdo', async () => {
    await using server = await startStandIn(nothing)
    await using other = await startStandIn(nothing)
    await writeFile(join(home, 'api-url'), `${server.url}\n`)
    await nextscale(['list'])
    assert.equal(server.seen[0]?.headers.authorization, 'Bearer launcher-key')
    await nextscale(['list', '--url', other.url])
    await nextscale(['list'], { NEXTSCALE_URL: other.url })
    assert.deepEqual([server.seen.length, other.seen.length], [1, 2])
    assert.equal(readConfig({}, { NEXTSCALE_HOME: home }).url, server.url)
  })

  it('is no address elsewhere: a folder must not have a key sent there', async () => {
    for (const url of ['https://example.com', 'http://localhost@example.com', 'no address']) {
      await writeFile(join(home, 'api-url'), url)
      assert.equal(readConfig({}, { NEXTSCALE_HOME: home, NEXTSCALE_API_KEY: 'mine' }).url, 'http://localhost:8080')
    }
    await rm(join(home, 'api-url'))
    assert.equal(readConfig({}, { NEXTSCALE_HOME: home }).url, 'http://localhost:8080')
  })
})
