import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestCounts } from './count-reporter.ts'
import { failedStep, type Outcome } from './outcome.ts'
import { pythonEnv } from './python-env.ts'
import { runCommand } from './run-command.ts'
import { print } from '@nextscale/platform/terminal'

const TIMEOUT_MS = 20 * 60_000
/** Of a single test, or a whole file: node:test itself waits for ever. */
const TEST_TIMEOUT_MS = 10 * 60_000
const RUNNER = 'node --test '
const PYTEST = 'python -m pytest'
const REPORTER = join(import.meta.dirname, 'count-reporter.ts')

export interface Suite {
  name: string
  cwd: string
  /** A line of shell that starts with `node --test` or `python -m pytest`. */
  command: string
  /** What of Python it needs: the file that pins it. */
  requirements?: string
}

const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

const withReporters = (command: string, countsFile: string) =>
  command.replace(
    RUNNER,
    `${RUNNER}--test-timeout=${TEST_TIMEOUT_MS} --test-reporter=spec --test-reporter-destination=stdout ` +
      `--test-reporter=${quote(REPORTER)} --test-reporter-destination=${quote(countsFile)} `
  )

const withPlugin = (command: string) => command.replace(PYTEST, `${PYTEST} -p count_plugin`)

/** How the command is run so that it leaves counts; throws where what it needs cannot be installed. */
const prepare = async ({ command, requirements }: Suite, countsFile: string, env: NodeJS.ProcessEnv) => {
  const withPython = requirements === undefined ? env : (await pythonEnv(requirements)).environment(env)
  if (command.startsWith(RUNNER)) return { line: withReporters(command, countsFile), env: withPython }
  const counting = { NEXTSCALE_COUNTS: countsFile, PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: '1' }
  return { line: withPlugin(command), env: { ...withPython, ...counting } }
}

const readCounts = async (file: string): Promise<TestCounts | undefined> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as TestCounts
  } catch {
    return undefined
  }
}

const judge = (name: string, counts: TestCounts | undefined, failure: string | undefined): Outcome => {
  if (!counts) return failedStep(name, `the test run crashed (${failure ?? 'it left no counts'})`)
  if (counts.passed + counts.failed === 0) return { ...failedStep(name, 'no test ran'), skipped: counts.skipped }
  if (failure !== undefined && counts.failed === 0) {
    return { name, ...counts, failed: 1, failures: [`${name}: the test run failed although no test did (${failure})`] }
  }
  const named = (lines: readonly string[]) => lines.map((line) => `${name}: ${line}`)
  return { name, ...counts, failures: named(counts.failures), skips: named(counts.skips ?? []) }
}

/** Runs the tests of one workspace and counts them. */
export const runSuite = async (
  suite: Suite,
  { env, live, timeoutMs = TIMEOUT_MS }: { env: NodeJS.ProcessEnv; live: boolean; timeoutMs?: number }
): Promise<Outcome> => {
  const { name, cwd } = suite
  if (![RUNNER, PYTEST].some((runner) => suite.command.startsWith(runner))) {
    return failedStep(name, `its test script has to start with "${RUNNER.trim()}" or "${PYTEST}"`)
  }
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-test-'))
  const countsFile = join(folder, 'counts.json')
  const startedAt = performance.now()
  try {
    const { line, env: prepared } = await prepare(suite, countsFile, env)
    const { output, failure } = await runCommand(line, { cwd, env: prepared, timeoutMs, live })
    const outcome = judge(name, await readCounts(countsFile), failure)
    const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : ''
    const counts = `${outcome.passed} passed, ${outcome.failed} failed${skipped}`
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    const mark = outcome.failed > 0 ? '✖' : '✔'
    print(`${mark} tests of ${name}: ${counts} (${seconds} s)${outcome.failed > 0 && output ? `\n${output}` : ''}`)
    return outcome
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
