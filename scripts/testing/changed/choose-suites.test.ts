import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { chooseSuites, neededBy, partOf } from './choose-suites.ts'
import { readParts } from './parts.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const parts = await readParts(ROOT)
const ALL = parts.flatMap(({ name, hasSuite }) => (hasSuite ? [name] : [])).toSorted()

const suitesOf = (...files: string[]) =>
  chooseSuites(files, parts)
    .map(({ suite }) => suite)
    .toSorted()

describe('the suites that a change can have broken', () => {
  for (const [what, file, suites] of [
    ['the contract: those of everything', 'openapi/src/operation.ts', ALL],
    [
      'the platform: those of all that import or start it',
      'platform/src/redis/index.ts',
      ['api', 'gpu-runner', 'platform', 'scripts', 'sdk-python', 'tests']
    ],
    ['the API: those that start it', 'api/src/app.ts', ['api', 'scripts', 'sdk-python', 'tests']],
    ['the runner: those that start it', 'gpu-runner/src/runner.ts', ['gpu-runner', 'scripts', 'sdk-python', 'tests']],
    ['the black-box tests: their own', 'tests/src/support/until.ts', ['tests']],
    ['the Go client: those that compile it and hold it current', 'openapi/sdk/go/go.mod', ['scripts', 'tests']],
    ['receivers of the guide: those that run and check them', 'tests/src/receivers/receiver.py', ['sdk-python', 'tests']],
    ['a test: its own', 'openapi/src/document.test.ts', ['openapi']],
    ['a test in Python: its own', 'openapi/sdk/python/tests/test_events.py', ['sdk-python']],
    ['a guide: the one that shows it to be true', 'docs/webhooks.md', ['tests']],
    ['a README: the one that holds its map', 'api/README.md', ['scripts']],
    ['what nothing reads: none', 'CONTRIBUTING.md', []],
    ['training: none, it has a command of its own', 'gpu-runner/training/config.py', []],
    ['what is beside all folders: everything', 'package-lock.json', ALL],
    ['what nobody has heard of: everything', 'new-file.json', ALL]
  ] as const) {
    it(`are, for ${what}`, () => assert.deepEqual(suitesOf(file), suites))
  }

  it('are those of each file together', () => {
    assert.deepEqual(suitesOf('tests/src/support/until.ts', 'openapi/src/document.test.ts'), ['openapi', 'tests'])
    assert.deepEqual(suitesOf(), [])
  })

  it('are chosen for a reason, the nearest one', () => {
    const reasons = new Map(chooseSuites(['openapi/src/scopes.ts', 'api/src/app.ts'], parts).map((c) => [c.suite, c.because]))
    assert.equal(reasons.get('api'), 'has api/src/app.ts')
    assert.equal(reasons.get('platform'), 'imports openapi, which has openapi/src/scopes.ts')
    assert.equal(reasons.get('sdk-python'), 'needs openapi, which has openapi/src/scopes.ts')
  })
})

/** Paths of other folders that a source file names from where it stands. */
const pathsIn = (file: string, source: string): string[] =>
  [...source.matchAll(/'((?:\.\.\/)+[^'\s*]+)'/g)]
    .map(([, path = '']) => relative(ROOT, resolve(ROOT, dirname(file), path)))
    .filter((path) => !path.startsWith('..') && existsSync(join(ROOT, path)))

it('a part is known to need whatever its sources name of other parts', async () => {
  let found = 0
  const unknown: string[] = []
  for (const part of parts) {
    const needed = neededBy(part, parts)
    // Benchmarks are no tests, and those of the walls name what may not be imported.
    for await (const file of glob(`${part.folder}/**/*.{ts,mjs}`, {
      cwd: ROOT,
      exclude: ['**/node_modules/**', '**/dist/**', '**/bench/**', '**/walls.test.ts']
    })) {
      if (partOf(file, parts) !== part) continue
      for (const path of pathsIn(file, await readFile(join(ROOT, file), 'utf8'))) {
        const owner = partOf(`${path}/`, parts)
        if (owner === undefined || owner === part) continue
        found += 1
        if (!needed.has(owner)) unknown.push(`${file} names ${path}`)
      }
    }
  }
  assert.ok(found > 8)
  assert.deepEqual(unknown, [])
})
