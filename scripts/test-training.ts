/** Everything that needs PyTorch: what training is checked and tested with, and what it makes served by the runner. */
import { join, resolve } from 'node:path'
import { installEmojiFont } from './testing/emoji-font.ts'
import { pythonEnv } from './testing/python-env.ts'
import { type Check, runCheck } from './testing/run-check.ts'
import { runSteps, stepEnv } from './testing/run-steps.ts'
import { runSuite, type Suite } from './testing/run-suite.ts'
import { printError } from '@nextscale/platform/terminal'

const ROOT = resolve(import.meta.dirname, '..')
const TRAINING = join(ROOT, 'gpu-runner', 'training')
const requirements = join(TRAINING, 'requirements.txt')

const CHECKS: readonly Check[] = [
  { name: 'training: lint', command: 'ruff check .' },
  { name: 'training: format', command: 'ruff format --check .' },
  { name: 'training: types', command: 'mypy' }
]

const SUITES: readonly Suite[] = [
  { name: 'training', cwd: TRAINING, command: 'python -m pytest', requirements },
  {
    name: 'trained and served',
    cwd: join(ROOT, 'tests'),
    command: "node --test --test-concurrency=1 'training/**/*.test.ts'",
    requirements
  }
]

try {
  installEmojiFont()
  const python = await pythonEnv(requirements)
  const env = stepEnv()
  const checkEnv = python.environment(env)
  await runSteps([
    ...CHECKS.map((check) => ({ name: check.name, run: () => runCheck(check, { cwd: TRAINING, env: checkEnv }) })),
    ...SUITES.map((suite) => ({ name: suite.name, run: () => runSuite(suite, { env, live: false }) }))
  ])
} catch (error) {
  printError(`The tests of training cannot run: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
