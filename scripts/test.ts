import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { chooseChanged } from './testing/changed/choose-changed.ts'
import { installInfraTools } from './testing/infra-tools.ts'
import { failedStep } from './testing/outcome.ts'
import { CHECKS, runCheck } from './testing/run-check.ts'
import { runSteps, type Step, stepEnv } from './testing/run-steps.ts'
import { runSuite, type Suite } from './testing/run-suite.ts'

const ROOT = resolve(import.meta.dirname, '..')
const CHECKS_NAME = 'checks'
const CHANGED = 'changed'
const SCRIPTS: Suite = { name: 'scripts', cwd: ROOT, command: "node --test --test-concurrency=1 'scripts/**/*.test.ts'" }
/** What deploys the service: run by its name only, since it takes minutes and tools that few machines have. */
const INFRA: Suite = {
  name: 'infra',
  cwd: join(ROOT, 'infra'),
  command: "node --test --test-concurrency=2 'tests/**/*.test.ts'",
  requirements: join(ROOT, 'infra', 'tests', 'requirements.txt')
}
const SDK_PYTHON = join(ROOT, 'openapi', 'sdk', 'python')
const PYTHON_SUITES: Suite[] = [
  { name: 'sdk-python', cwd: SDK_PYTHON, command: 'python -m pytest', requirements: join(SDK_PYTHON, 'requirements.txt') }
]

const readPackage = async (folder: string) =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { workspaces?: string[]; scripts?: Record<string, string> }

/** The slowest first. */
const SHARED = ['openapi/sdk/typescript', 'sdk-python', 'openapi']

/** One suite per workspace, one for the scripts of the root, and those in Python. */
const findSuites = async (): Promise<Suite[]> => {
  const { workspaces = [] } = await readPackage(ROOT)
  const suites = workspaces.map(async (name) => {
    const cwd = join(ROOT, name)
    return { name, cwd, command: (await readPackage(cwd)).scripts?.['test'] ?? '' }
  })
  return [SCRIPTS, ...(await Promise.all(suites)), ...PYTHON_SUITES, INFRA]
}

const refusal = (name: string, reason: string): Step => ({ name, run: async () => failedStep(name, reason) })

/** What `wanted` names, or everything; shown as it goes where that is one after the other. */
const findSteps = async (wanted: readonly string[], live = wanted.length > 0): Promise<Step[]> => {
  const suites = await findSuites()
  const names = [CHECKS_NAME, ...suites.map(({ name }) => name)]
  const unknown = wanted.filter((name) => !names.includes(name)).join(', ')
  if (unknown !== '') return [refusal(unknown, `there is ${[...names, CHANGED].join(', ')}`)]
  const isWanted = (name: string) => (wanted.length === 0 ? name !== INFRA.name : wanted.includes(name))
  const env = stepEnv()
  return [
    ...(isWanted(CHECKS_NAME) ? CHECKS : []).map((check) => ({
      name: check.name,
      run: () => runCheck(check, { cwd: ROOT, env })
    })),
    ...suites
      .filter(({ name }) => isWanted(name))
      // Several that are shown as they go would be shown in each other.
      .map((suite) => ({
        name: suite.name,
        isShared: !live && SHARED.includes(suite.name),
        run: () => runSuite(suite, { env, live })
      }))
      .toSorted((a, b) => SHARED.indexOf(a.name) - SHARED.indexOf(b.name))
  ]
}

/** The checks, and the suites that what has changed can have broken. */
const findChangedSteps = async (): Promise<Step[]> => {
  try {
    return await findSteps([CHECKS_NAME, ...(await chooseChanged(ROOT))], false)
  } catch (error) {
    return [refusal(CHANGED, error instanceof Error ? error.message : String(error))]
  }
}

const wanted = process.argv.slice(2)
const isChanged = wanted.length === 1 && wanted[0] === CHANGED
if (wanted.includes(INFRA.name)) installInfraTools()
await runSteps(await (isChanged ? findChangedSteps() : findSteps(wanted)))
