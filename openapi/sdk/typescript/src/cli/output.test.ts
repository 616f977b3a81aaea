import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { delivery, generation, ID, json, problem } from '../testing/answers.ts'
import { runCommand } from '../testing/run-command.ts'
import { type Answer, startStandIn } from '../testing/stand-in.ts'

const START = fileURLToPath(new URL('start.ts', import.meta.url))
const TIMEOUT_MS = 30_000
const cwd = tmpdir()

/** Runs a line of bash with the command in it as `nextscale`; says what the last of it printed and the codes of all. */
const shell = async (line: string, url: string): Promise<{ stdout: string; stderr: string }> => {
  const script = `nextscale() { "${process.execPath}" "${START}" "$@"; }\n${line}`
  const env = { NEXTSCALE_URL: url, PATH: '/usr/local/bin:/usr/bin:/bin' }
  const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr }
}

/** Colours, a title, the clipboard in 8-bit form, a forged line, and writing turned round. */
const HOSTILE = 'a\u001b[31m\u001b]0;title\u0007\u009d52;c;aGk=\u009cb\nforged \u202ec\u007f'
// oxlint-disable-next-line no-control-regex
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

const hostile = {
  ...generation('failed'),
  model: HOSTILE,
  created_at: HOSTILE,
  input: { class_name: HOSTILE, seed: 1 },
  error: { code: 'sampler_failed', message: HOSTILE },
  outputs: [{ index: 0, url: HOSTILE }]
}
const attempt = { at: '', outcome: 'rejected' as const, status_code: 400, latency_ms: 1, error: null, response: HOSTILE }

describe('a reader who leaves', () => {
  const classes = Array.from({ length: 20_000 }, (_, label) => ({ label, name: `class ${label}` }))
  const everything: Answer = (response, request) => {
    const listed = { data: classes, total: classes.length }
    const page = { data: [{ ...generation('succeeded'), input: { seed: 1 }, created_at: '' }], next_cursor: 'more' }
    json(200, request.url.includes('/classes') ? listed : page)(response, request)
  }
  for (const command of [
    'classes --model m',
    'classes --model m --json',
    'list --limit 100000',
    'list --limit 5000 --json',
    '--help'
  ]) {
    it(`ends \`nextscale ${command}\` without a word`, async () => {
      await using server = await startStandIn(everything)
      const { stdout, stderr } = await shell(`nextscale ${command} | head -c 1 > /dev/null; echo "\${PIPESTATUS[0]}"`, server.url)
      assert.equal(stderr, '')
      assert.match(stdout, /^(0|141)\n$/)
    })
  }

  it('of standard error costs nothing', async () => {
    await using server = await startStandIn(json(200, { data: [], next_cursor: null }))
    const line = 'exec 3>&1; { nextscale list 2>&1 >/dev/null; echo "$?" >&3; } | true'
    assert.deepEqual(await shell(line, server.url), { stdout: '0\n', stderr: '' })
  })

  it('is told from a disk that is full', { skip: process.platform !== 'linux' }, async () => {
    await using server = await startStandIn(json(200, [hostile]))
    const { stdout, stderr } = await shell('nextscale --help > /dev/full; echo "$?"', server.url)
    assert.equal(stdout, '1\n')
    assert.match(stderr, /^nextscale: The output cannot be written: ENOSPC.*\n$/)
  })
})

describe('text of others', () => {
  const printed: [name: string, args: string[], answer: unknown, lines: number][] = [
    ['classes', ['classes', '--model', 'm'], { data: [{ label: 1, name: HOSTILE }], total: 1 }, 1],
    ['generations', ['list'], { data: [hostile], next_cursor: null }, 1],
    ['a generation', ['get', ID], hostile, 3],
    ['the answer of a receiver', ['webhooks', 'test', 'https://x/'], delivery({ url: HOSTILE, attempts: [attempt] }), 3],
    [
      'deliveries',
      ['webhooks', 'deliveries'],
      { data: [delivery({ url: HOSTILE, attempts: [{ ...attempt, error: HOSTILE }] })] },
      1
    ],
    ['a secret', ['webhooks', 'secret'], { secret: HOSTILE, previous_expires_at: HOSTILE }, 2],
    ['links', ['generate', '--json'], hostile, 0]
  ]
  for (const [name, args, answer, lines] of printed) {
    it(`commands no terminal: ${name}`, async () => {
      await using server = await startStandIn(json(200, answer))
      const { stdout, stderr } = await runCommand(args, { cwd, env: { NEXTSCALE_URL: server.url } })
      assert.doesNotMatch(`${stdout}${stderr}`, obeyed)
      assert.match(`${stdout}${stderr}`, /ab/)
      if (lines > 0) assert.equal(`${stdout}${stderr}`.match(/\n/g)?.length, lines)
    })
  }

  it('commands no terminal in a refusal and in a word that is none', async () => {
    await using server = await startStandIn(problem(422, 'unknown_class', { detail: `There is no ${HOSTILE}` }))
    const refused = await runCommand(['generate', 'x', '--url', server.url], { cwd })
    assert.equal(refused.stderr, 'nextscale: There is no ab forged  c . --seed: x\n')
    for (const args of [
      [HOSTILE],
      ['list', HOSTILE],
      ['list', `--${HOSTILE}`],
      ['generate', '--url', HOSTILE],
      ['generate', '-o', `none/${HOSTILE}`]
    ]) {
      const { code, stderr } = await runCommand(args, { cwd })
      assert.deepEqual([code, stderr.match(/\n/g)?.length], [2, 1])
      assert.doesNotMatch(stderr, obeyed)
    }
  })

  it('is whole in JSON, where it is escaped', async () => {
    await using server = await startStandIn(json(200, hostile))
    const { stdout } = await runCommand(['get', ID, '--json', '--url', server.url], { cwd })
    assert.doesNotMatch(stdout, obeyed)
    assert.deepEqual(JSON.parse(stdout), hostile)
  })
})

describe('an empty list', () => {
  const empty = { data: [], next_cursor: null, total: 0 }
  for (const [args, words] of [
    [['list'], 'no generations\n'],
    [['webhooks', 'deliveries'], 'no deliveries\n'],
    [['classes', '--model', 'm'], 'no classes\n'],
    [['classes', 'cat', '--model', 'm'], 'No class of m has "cat" in its name.\n']
  ] as const) {
    it(`is said by ${args.join(' ')}, and is [] in JSON`, async () => {
      await using server = await startStandIn(json(200, empty))
      const env = { NEXTSCALE_URL: server.url }
      assert.deepEqual(await runCommand(args, { cwd, env }), { code: 0, stdout: '', stderr: words })
      assert.deepEqual(await runCommand([...args, '--json'], { cwd, env }), { code: 0, stdout: '[]\n', stderr: '' })
    })
  }
})
