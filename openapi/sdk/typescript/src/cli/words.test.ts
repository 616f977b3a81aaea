import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { json } from '../testing/answers.ts'
import { runCommand } from '../testing/run-command.ts'
import { startStandIn } from '../testing/stand-in.ts'

const cwd = tmpdir()
const run = (...args: string[]) => runCommand(args, { cwd })

const WORDS = ['generate', 'continue', 'get', 'cancel', 'delete', 'list', 'models', 'classes', 'status']
const WEBHOOKS = ['test', 'deliveries', 'redeliver', 'secret']
const headings = (text: string) => [...text.matchAll(/^nextscale ((?:webhooks )?\w+)/gm)].map(([, words]) => words)

describe('help', () => {
  it('of all is that of every command', async () => {
    const all = [...WORDS, ...WEBHOOKS.map((word) => `webhooks ${word}`)]
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await run(...args)
      assert.deepEqual([code, headings(stdout), stderr], [0, all, ''])
    }
  })

  it('of a command is its own', async () => {
    for (const word of WORDS) assert.deepEqual(headings((await run(word, '--help')).stdout), [word])
    for (const word of WEBHOOKS) {
      for (const args of [
        ['webhooks', word, '--help'],
        ['webhooks', word, '-h'],
        ['help', 'webhooks', word]
      ])
        assert.deepEqual(headings((await run(...args)).stdout), [`webhooks ${word}`])
    }
    assert.deepEqual(
      headings((await run('webhooks', '--help')).stdout),
      WEBHOOKS.map((word) => `webhooks ${word}`)
    )
  })

  it('fits the width of a terminal, or nearly', async () => {
    const { stdout } = await run('--help')
    for (const line of stdout.split('\n')) assert.ok(line.length <= 130, line)
  })
})

describe('a word there is not', () => {
  for (const [args, line] of [
    [['lst'], 'There is no "lst": the commands are '],
    [['help', 'lst'], 'There is no "lst": the commands are '],
    [['--help2'], 'There is no "--help2": the commands are '],
    [['webhooks', 'tset'], 'There is no "webhooks tset": the commands are test, deliveries, redeliver, secret.'],
    [['webhooks'], 'Say what to do after webhooks: the commands are test, deliveries, redeliver, secret.'],
    [['toString'], 'There is no "toString": the commands are ']
  ] as const) {
    it(`is a wrong command line: ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(...args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.ok(stderr.startsWith(`nextscale: ${line}`), stderr)
    })
  }
})

it('--version is that of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  for (const option of ['--version', '-V'])
    assert.deepEqual(await run(option), { code: 0, stdout: `nextscale ${version}\n`, stderr: '' })
})

it('status shows the capacity', async () => {
  const capacity = {
    version: '0.1.0',
    accepting: true,
    queue: { waiting: 2, running: 1, oldest_wait_ms: 1500 },
    runners: 1,
    models: [
      { id: 'emoji-32', runners: 1, latency_ms: 480, images_per_second: 12.34 },
      { id: 'var-d16', runners: 0, latency_ms: null, images_per_second: null }
    ],
    unserved: [{ model: 'var-d16', revision: 'abc', waiting: 3 }]
  }
  await using server = await startStandIn(json(200, capacity))
  const { code, stdout } = await run('status', '--url', server.url)
  const lines = [
    'server   0.1.0, takes requests',
    'queue    2 waiting, 1 running; the next one has waited 1.5 s',
    'runners  1',
    'model    emoji-32, 1 runner, 0.5 s for a generation, 12.3 images/s',
    'model    var-d16, 0 runners',
    'unserved var-d16 at revision abc: 3 waiting for a runner that has it'
  ]
  assert.deepEqual([code, stdout], [0, `${lines.join('\n')}\n`])
  assert.deepEqual(JSON.parse((await run('status', '--json', '--url', server.url)).stdout), capacity)
})
