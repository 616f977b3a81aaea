import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { failedStep, type Outcome, summarise } from './testing/outcome.ts'
import { CHECKS, runCheck } from './testing/run-check.ts'
import { runSuite, type Suite } from './testing/run-suite.ts'

const ROOT = resolve(import.meta.dirname, '..')
const CHECKS_NAME = 'checks'
const SCRIPTS: Suite = { name: 'scripts', cwd: ROOT, command: "node --test --test-concurrency=1 'scripts/**/*.test.ts'" }
const SDK_PYTHON = join(ROOT, 'openapi', 'sdk', 'python')
const PYTHON_SUITES: Suite[] = [
  { name: 'sdk-python', cwd: SDK_PYTHON, command: 'python -m pytest', requirements: join(SDK_PYTHON, 'requirements.txt') }
]

const readPackage = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { workspaces?: string[]; scripts?: Record<string, string> }

/** One suite per workspace, one for the scripts of the root, and those in Python. */
const findSuites = async (): Promise<Suite[]> => {
  const { workspaces = [] } = await readPackage(ROOT)
  const suites = workspaces.map(async (name) => {
    const cwd = join(ROOT, name)
    return { name, cwd, command: (await readPackage(cwd)).scripts?.['test'] ?? '' }
  })
  return [SCRIPTS, ...(await Promise.all(suites)), ...PYTHON_SUITES]
}

const testEnv = (): NodeJS.ProcessEnv => {
  const env: NodeJS.ProcessEnv = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }
  // A `node --test` that inherits this takes itself for a test file of another run and counts nothing.
  delete env['NODE_TEST_CONTEXT']
  return env
}

const attempt = async (name: string, step: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await step()
  } catch (error) {
    return failedStep(name, `crashed: ${String(error)}`)
  }
}

/** Runs what `wanted` names, or everything, one step after the other: timing tests must not compete for the cores. */
const runAll = async (wanted: string[]): Promise<Outcome[]> => {
  const suites = await findSuites()
  const names = [CHECKS_NAME, ...suites.map(({ name }) => name)]
  const unknown = wanted.filter((name) => !names.includes(name))
  if (unknown.length > 0) return [failedStep(unknown.join(', '), `there is ${names.join(', ')}`)]
  const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name)
  const env = testEnv()
  const outcomes: Outcome[] = []
  for (const check of isWanted(CHECKS_NAME) ? CHECKS : []) {
    outcomes.push(await attempt(check.name, () => runCheck(check, { cwd: ROOT, env })))
  }
  for (const suite of suites.filter(({ name }) => isWanted(name))) {
    outcomes.push(await attempt(suite.name, () => runSuite(suite, { env, live: wanted.length > 0 })))
  }
  return outcomes
}

// Until the summary says otherwise, this run has failed: whatever ends it early ends it as a failure.
process.exitCode = 1
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
const { text, exitCode } = summarise(await runAll(process.argv.slice(2)))
console.log(text)
process.exitCode = exitCode
