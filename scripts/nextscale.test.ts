import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const START = join(import.meta.dirname, 'nextscale.mjs')

const run = (args: string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [START, ...args], { cwd, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('a command runs in the folder of whoever calls it, and its exit code is passed on', () => {
  const models = join(import.meta.dirname, '../gpu-runner/models')
  const { status, stdout } = run(['models', 'list', 'emoji-32'], models)
  assert.equal(status, 0)
  assert.match(stdout, /^emoji-32 /m)
  assert.equal(run(['models', 'check', 'none'], models).status, 1)
})

test('a word of the client is told which it is', () => {
  const { status, stdout } = run(['classes', '--help'], '/')
  assert.equal(status, 0)
  assert.match(stdout, /^nextscale classes /)
})

test('models without a word is about the server, and with one about folders', () => {
  assert.match(run(['models', '--url', 'none'], '/').stderr, /^nextscale: The server's URL is "none"/)
  assert.match(run(['models', '--help'], '/').stdout, /nextscale models add/)
})

test('the version is that of the client', () => {
  const { status, stdout } = run(['--version'], '/')
  assert.equal(status, 0)
  assert.match(stdout, /^nextscale \d+\.\d+\.\d+\n$/)
})

test('help names every command', () => {
  const { status, stdout } = run(['--help'], '/')
  assert.equal(status, 0)
  for (const command of [
    'models',
    'keys',
    'generate',
    'continue',
    'get',
    'cancel',
    'delete',
    'list',
    'classes',
    'status',
    'webhooks'
  ])
    assert.match(stdout, new RegExp(`^ .*\\b${command}\\b`, 'm'))
  assert.equal(run([], '/').stdout, stdout)
})

test('a command there is not ends with the ones there are', () => {
  assert.deepEqual(run(['kyes'], '/'), {
    status: 2,
    stdout: '',
    stderr:
      'Usage: nextscale <command> …, where the command is one of: keys, objects, generate, continue, get, cancel, delete, list, models, classes, status, webhooks.\n'
  })
})
