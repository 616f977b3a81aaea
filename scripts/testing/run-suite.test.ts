import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { summarise } from './outcome.ts'
import { pythonEnv } from './python-env.ts'
import { runCheck } from './run-check.ts'
import { runSuite } from './run-suite.ts'

const folders: string[] = []
const { NODE_TEST_CONTEXT: _, ...env } = process.env

/** Runs a workspace made of these files, and gives the outcome and the verdict of a run that is nothing else. */
const run = async (files: Record<string, string>, command = "node --test '*.test.mjs'", timeoutMs = 2000) => {
  const cwd = await mkdtemp(join(tmpdir(), 'nextscale-suite-'))
  folders.push(cwd)
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content)
  const outcome = await runSuite({ name: 'sample', cwd, command }, { env, live: false, timeoutMs })
  return { outcome, ...summarise([outcome]) }
}

const PASSING = "import { it } from 'node:test'\nit('holds', () => {})\n"
const FAILING = "import { it } from 'node:test'\nit('breaks', () => { throw new Error('no') })\n"

after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

describe('counting a workspace', () => {
  it('passes only when tests ran and all of them passed', async () => {
    const { text, exitCode } = await run({ 'a.test.mjs': PASSING, 'b.test.mjs': PASSING })
    assert.equal(text.split('\n').at(-1), '2 passed, 0 failed')
    assert.equal(exitCode, 0)
  })

  it('counts failed tests and names them', async () => {
    const { text, exitCode } = await run({ 'a.test.mjs': PASSING, 'b.test.mjs': FAILING })
    assert.match(text, /breaks \(.*b\.test\.mjs\)/)
    assert.match(text, /\n1 passed, 1 failed$/)
    assert.equal(exitCode, 1)
  })

  it('counts skipped tests as neither', async () => {
    const { text } = await run({ 'a.test.mjs': `${PASSING}it.skip('later', () => {})\n` })
    assert.match(text, /\n1 skipped\n1 passed, 0 failed$/)
  })

  it('says of each skipped test why', async () => {
    const { text } = await run({ 'a.test.mjs': `${PASSING}it('far', { skip: 'there is no ship' }, () => {})\n` })
    assert.match(text, /\nSkipped:\n {2}– sample: far: there is no ship\n\n1 skipped\n1 passed, 0 failed$/)
  })

  for (const [what, files, command] of [
    ['no test file', {}, undefined],
    ['only skipped tests', { 'a.test.mjs': "import { it } from 'node:test'\nit.skip('later', () => {})\n" }, undefined],
    ['a file that does not parse', { 'a.test.mjs': 'import {' }, undefined],
    ['a file that throws while it loads', { 'a.test.mjs': 'throw new Error()' }, undefined],
    ['a file that ends its process early', { 'a.test.mjs': `${PASSING}process.exit(3)` }, undefined],
    ['a file whose process is killed', { 'a.test.mjs': `${PASSING}process.kill(process.pid, 'SIGKILL')` }, undefined],
    [
      'a test that never ends',
      { 'a.test.mjs': "import { it } from 'node:test'\nit('waits', () => new Promise(() => {}))" },
      undefined
    ],
    ['a runner that crashes', { 'a.test.mjs': PASSING }, "node --test --import ./missing.mjs '*.test.mjs'"],
    ['a command that is no test run', { 'a.test.mjs': PASSING }, 'true'],
    ['a command that fails after its tests passed', { 'a.test.mjs': PASSING }, "node --test '*.test.mjs'; exit 7 #"]
  ] as const) {
    it(`fails on ${what}`, async () => {
      const { outcome, text, exitCode } = await run(files, command)
      assert.ok(outcome.failed > 0)
      assert.doesNotMatch(text, / 0 failed/)
      assert.equal(exitCode, 1)
    })
  }

  it('fails when it takes too long', async () => {
    const { outcome } = await run({ 'a.test.mjs': `${PASSING}setInterval(() => {}, 1000)` }, undefined, 500)
    assert.equal(outcome.failed, 1)
    assert.match(outcome.failures.join(), /not done after 0\.5 s/)
  })

  it('fails when nothing ran at all', () => {
    assert.equal(summarise([]).exitCode, 1)
  })
})

describe('counting tests in Python', () => {
  const requirements = join(import.meta.dirname, '../../openapi/sdk/python/requirements.txt')
  const runPython = async (files: Record<string, string>, command = 'python -m pytest') => {
    const cwd = await mkdtemp(join(tmpdir(), 'nextscale-suite-'))
    folders.push(cwd)
    for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content)
    return runSuite({ name: 'sample', cwd, command, requirements }, { env, live: false, timeoutMs: 60_000 })
  }
  const TESTS = [
    'import pytest',
    'def test_holds(): pass',
    '@pytest.mark.parametrize("n", [1, 2, 3])\ndef test_third(n): assert n < 3',
    '@pytest.fixture\ndef broken():\n  yield\n  raise OSError()',
    'def test_leaves_a_mess(broken): pass',
    '@pytest.mark.skip\ndef test_later(): pass',
    '@pytest.mark.xfail\ndef test_expected(): assert False'
  ].join('\n')

  it('tells passed, failed and skipped apart, and names what failed', async () => {
    const { passed, failed, skipped, failures } = await runPython({ 'test_a.py': TESTS })
    assert.deepEqual([passed, failed, skipped], [3, 2, 2])
    assert.match(failures.join('\n'), /test_third\[3\] \(call\)\n.*test_leaves_a_mess \(teardown\)/)
  })

  for (const [what, files, command] of [
    ['no test file', {}, undefined],
    ['a file that cannot be loaded', { 'test_a.py': 'import missing_module' }, undefined],
    ['a file that ends the process', { 'test_a.py': 'def test_ends():\n  import os\n  os._exit(0)' }, undefined],
    ['a command that is no test run', {}, 'true'],
    ['a command that fails after its tests passed', { 'test_a.py': 'def test_holds(): pass' }, 'python -m pytest; exit 7 #']
  ] as const) {
    it(`fails on ${what}`, async () => assert.ok((await runPython(files, command)).failed > 0))
  }

  it('drops the environment of what a file said before, and fails with what to do where the new one cannot be made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nextscale-suite-'))
    folders.push(folder)
    const pins = join(folder, 'requirements.txt')
    await writeFile(pins, '')
    const before = await pythonEnv(pins)
    assert.ok(existsSync(before.python))
    await writeFile(pins, `${join(folder, 'missing.whl')}\n`)
    await assert.rejects(pythonEnv(pins), /requirements\.txt could not be installed, which needs PyPI: /)
    assert.ok(!existsSync(before.python))
  })

  it('makes an environment once', async () => {
    const first = await pythonEnv(requirements)
    assert.equal((await pythonEnv(requirements)).python, first.python)
    assert.equal(first.environment({ PATH: '/bin' })['PATH'], `${dirname(first.python)}:/bin`)
  })
})

describe('a check', () => {
  for (const [command, failed] of [
    ['true', 0],
    ['false', 1],
    ['no-such-program', 1],
    ['kill -9 $$', 1]
  ] as const) {
    it(`counts ${failed} failed for \`${command}\``, async () => {
      const outcome = await runCheck({ name: 'sample', command }, { cwd: tmpdir(), env })
      assert.deepEqual([outcome.passed, outcome.failed], [0, failed])
    })
  }
})
