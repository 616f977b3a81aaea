import { print } from '@nextscale/platform/terminal'
import { findChanges } from './changed-files.ts'
import { chooseSuites } from './choose-suites.ts'
import { readParts } from './parts.ts'

/** What is tested by a command of its own. */
const APART = [
  { folder: 'gpu-runner/training/', command: 'npm run test:training' },
  { folder: 'infra/', command: 'npm test -- infra' }
]

/** The suites that what has changed since main can have broken; prints which these are, and why. */
export const chooseChanged = async (root: string): Promise<string[]> => {
  const { base, files } = findChanges(root)
  const choices = chooseSuites(files, await readParts(root))
  print(`Changed since ${base.slice(0, 10)}: ${files.length} ${files.length === 1 ? 'file' : 'files'}.`)
  for (const { suite, because } of choices) print(`  ${suite} ${because}`)
  if (choices.length === 0) print('  No suite can have broken: the checks alone run.')
  for (const { folder, command } of APART)
    if (files.some((file) => file.startsWith(folder))) print(`  ${folder} has changed: ${command} tests it.`)
  return choices.map(({ suite }) => suite)
}
